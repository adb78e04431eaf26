"""Who is let in, as a table; and what a stranger can learn from being refused."""

import hmac
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc import admission
from extproc.admission import UNKNOWN, Admitted, Denied, only_on_trial
from extproc.cause import Cause
from extproc.credentials import ANY, ApiKey, ApiKeys, Needed, Requirement
from extproc.dialects import (
    Dialect,
    GeminiGenerate,
    KServeV2,
    OpenAIEmbeddings,
    OpenAITranscriptions,
    Status,
)
from extproc.events import CheckedRequest, Peer
from extproc.limits import Charge, Limit
from extproc.origin import NOWHERE
from extproc.policy import PolicyTable
from extproc.refusal import (
    HEADERS_TOO_LARGE,
    INSUFFICIENT,
    METHOD_NOT_ALLOWED,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UNKNOWN_ROUTE,
    UNSUPPORTED_MEDIA_TYPE,
    Refusal,
)
from extproc.rollout import WHOLE, Rollout
from extproc.route import Route
from extproc.validation import Contract
from tests.playbook import HMAC_KEY, policy, rate, table

KEY, OTHER_KEY, UNLISTED_KEY = "sk-acme-1", "sk-beta-1", "sk-nobody"


def admit(request: CheckedRequest, table: PolicyTable) -> Admitted | Denied:
    decision = admission.admit(request, table, now=1e9)
    assert not isinstance(decision, Needed)
    return decision


def principal(key: str) -> str:
    return f"key:{hmac.new(HMAC_KEY, key.encode(), 'sha256').hexdigest()}"


BURST = rate("burst", "principal", 20, 1)
DAILY = rate("daily", "tenant", 1000, 86_400)
INFER = ("POST", "/v2/models/{model}/infer")
TABLE = table(
    policy(limits=(BURST, DAILY)),
    policy(OpenAIEmbeddings(), route=("POST", "/v1/embeddings")),
    policy(KServeV2(), route=INFER, models=("digits", "text-*")),
    policy(OpenAITranscriptions(), route=("POST", "/v1/audio/transcriptions")),
    policy(Status(), route=("GET", "/v2/health/ready")),
    policy(Status(), route=("GET", "/v1/embeddings")),
    policy(KServeV2(), route=INFER, models=("*",), tenant="beta"),
    tenants={principal(KEY): "acme", principal(OTHER_KEY): "beta"},
)

GOOD = CheckedRequest(
    "POST",
    "/v1/chat/completions",
    {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
)


def asking(
    method: str = "POST",
    path: str = "/v1/chat/completions",
    key: str | None = KEY,
    **headers: str | None,
) -> CheckedRequest:
    """The good request but for what is named; None takes a header out."""
    found: dict[str, str | None] = {**GOOD.headers}
    found["authorization"] = None if key is None else f"Bearer {key}"
    found |= {name.replace("_", "-"): value for name, value in headers.items()}
    return CheckedRequest(method, path, {k: v for k, v in found.items() if v is not None})


def refusal(request: CheckedRequest) -> Refusal | None:
    match admit(request, TABLE):
        case Denied(found):
            return found
        case Admitted():
            return None


def test_an_admitted_request_names_its_policy_and_who_asks() -> None:
    decision = admit(GOOD, TABLE)
    assert isinstance(decision, Admitted)
    assert decision.policy is TABLE.policies["acme", "POST /v1/chat/completions"]
    assert decision.proof.principal == principal(KEY)
    assert decision.parameters == {}
    assert decision.charges == [
        Charge(BURST.rule, "acme", principal(KEY), 1, 1),
        Charge(DAILY.rule, "acme", "", 1, 1),
    ]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v2/models/digits/infer", "digits"),
        ("/v2/models/text-%31/infer", "text-1"),
        ("/v2/models/text-a%2Db/infer", "text-a-b"),
    ],
)
def test_the_model_of_a_path_is_decoded_once(path: str, model: str) -> None:
    decision = admit(asking(path=path), TABLE)
    assert isinstance(decision, Admitted)
    assert decision.parameters == {"model": model, "content-type": "application/json"}


def test_a_form_is_let_in_where_one_is_read_and_its_boundary_is_handed_on() -> None:
    form = 'Multipart/Form-Data; boundary="b"'
    decision = admit(asking(path="/v1/audio/transcriptions", content_type=form), TABLE)
    assert isinstance(decision, Admitted)
    assert decision.parameters == {"content-type": form}
    document = asking(path="/v1/audio/transcriptions")
    assert refusal(document) is UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": None},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {UNLISTED_KEY}"},
        {"authorization": f"Bearer {KEY}, Bearer {KEY}"},
        {"authorization": f"Bearer {KEY} "},
        {"x_api_key": OTHER_KEY},
        {"x_api_key": UNLISTED_KEY},
        {"api_key": ""},
        {"authorization": f"Bearer {principal(KEY)}"},
        {"authorization": None, "x_api_key": "ż" * 20},
        {"authorization": None, "x_tenant": "acme", "x_principal": principal(KEY)},
        {"authorization": f"Bearer {'x' * 100_000}"},
    ],
)
def test_without_one_known_key_nothing_is_said(headers: dict[str, Any]) -> None:
    assert admit(asking(**headers), TABLE) == Denied(UNAUTHENTICATED)


def test_a_key_may_come_in_any_of_its_headers() -> None:
    for headers in ({"x_api_key": KEY}, {"api_key": KEY}):
        assert isinstance(admit(asking(key=None, **headers), TABLE), Admitted)
    assert isinstance(admit(asking(x_api_key=KEY), TABLE), Admitted)


methods = st.sampled_from(["POST", "GET", "PUT", "OPTIONS", "TRACE", ""])
paths = st.sampled_from(
    [
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v2/models/digits/infer",
        "/v2/models/secret/infer",
        "/v2/health/ready",
        "/v1/embeddings?x=1",
        "/nothing",
        "",
    ]
)
content_types = st.sampled_from([None, "application/json", "text/plain"])


@given(
    method=methods,
    path=paths,
    content_type=content_types,
    key=st.sampled_from([None, UNLISTED_KEY]),
)
def test_a_stranger_gets_one_answer_to_everything(
    method: str, path: str, content_type: str | None, key: str | None
) -> None:
    request = asking(method, path, key, content_type=content_type)
    assert admit(request, TABLE) == Denied(UNAUTHENTICATED)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asking(path="/nothing"), UNKNOWN_ROUTE),
        (asking(path=""), UNKNOWN_ROUTE),
        (asking(path="/"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions/"), UNKNOWN_ROUTE),
        (asking(path="/V1/chat/completions"), UNKNOWN_ROUTE),
        (asking(path="/v1//chat/completions"), UNKNOWN_ROUTE),
        (asking(path="//v1/chat/completions"), UNKNOWN_ROUTE),
        (asking(path="/v1/./chat/completions"), UNKNOWN_ROUTE),
        (asking(path="/v1/models/../chat/completions"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat%2Fcompletions"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/%63ompletions"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions;x=1"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions#x"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions\n"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions?stream=true"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions?&"), UNKNOWN_ROUTE),
        (asking(path="/v1/chat/completions??"), UNKNOWN_ROUTE),
        (asking(path="http://other/v1/chat/completions"), UNKNOWN_ROUTE),
        (asking(path="*"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/other/infer"), UNKNOWN_MODEL),
        (asking(path="/v2/models/Digits/infer"), UNKNOWN_MODEL),
        (asking(path="/v2/models/../infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/%2e%2E/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%2Fversions/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%2f..%2fsecret/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits/versions/1/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%00/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%0a/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/%2564igits/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%3Fx/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits%5C/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/%FF/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models/digits;v=2/infer"), UNKNOWN_ROUTE),
        (asking(path="/v2/models//infer"), UNKNOWN_ROUTE),
        (asking(path=f"/v2/models/{'d' * 257}/infer"), UNKNOWN_ROUTE),
        (asking("GET"), METHOD_NOT_ALLOWED),
        (asking("post"), METHOD_NOT_ALLOWED),
        (asking("HEAD", "/v2/health/ready"), METHOD_NOT_ALLOWED),
        (asking("TRACE"), METHOD_NOT_ALLOWED),
        (asking("CONNECT"), METHOD_NOT_ALLOWED),
        (asking("OPTIONS"), METHOD_NOT_ALLOWED),
        (asking("PUT", "/v1/embeddings"), METHOD_NOT_ALLOWED),
        (asking(content_type=None), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type=""), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="text/plain"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json, text/plain"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="multipart/form-data; boundary=x"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json; charset=utf-16"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json; charset=latin1"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json; charset=utf-8; x"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json;charset=utf-7"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_encoding="gzip"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_encoding="identity, gzip"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_encoding=""), UNSUPPORTED_MEDIA_TYPE),
        (asking("GET", "/v2/health/ready", content_encoding="br"), UNSUPPORTED_MEDIA_TYPE),
        (asking("GET", "/v2/health/ready", content_type="text/plain"), UNSUPPORTED_MEDIA_TYPE),
        (asking(), None),
        (asking(path="/v1/chat/completions?"), None),
        (asking(content_type="Application/JSON"), None),
        # Triton's own client names no type.
        (asking(path="/v2/models/digits/infer", content_type=None), None),
        (asking(path="/v2/models/digits/infer", content_type="text/plain"), UNSUPPORTED_MEDIA_TYPE),
        (asking(content_type="application/json;"), None),
        (asking(content_type="application/json; charset=UTF-8"), None),
        (asking(content_type='application/json;charset="utf-8"'), None),
        (asking(content_encoding=" Identity"), None),
        (asking("GET", "/v2/health/ready", content_type=None), None),
        (asking("GET", "/v1/embeddings", content_type=None), None),
    ],
)
def test_a_known_caller_is_told_why(request_: CheckedRequest, expected: Refusal | None) -> None:
    assert refusal(request_) == expected


GEMINI = ("POST", "/v1beta/models/{model}:streamGenerateContent")
ALT_SSE = "/v1beta/models/gem:streamGenerateContent"
STREAMING = table(
    policy(GeminiGenerate(stream=True), route=GEMINI, models=("gem",)), tenants=TABLE.tenants
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("?", {}),
        ("?alt=sse", {"?alt": "sse"}),
        ("?alt=json", {"?alt": "json"}),
    ],
)
def test_a_query_parameter_that_the_dialect_names_is_handed_over(
    query: str, found: dict[str, str]
) -> None:
    decision = admit(asking(path=ALT_SSE + query), STREAMING)
    assert isinstance(decision, Admitted)
    assert decision.parameters == {"model": "gem", **found}


@pytest.mark.parametrize(
    "query",
    [
        "alt",
        "alt=",
        "alt=proto",
        "alt=SSE",
        "ALT=sse",
        "alt=s%73e",
        "%61lt=sse",
        "alt=sse&",
        "&alt=sse",
        "alt=sse&&",
        "alt=sse&alt=sse",
        "alt=sse&alt=json",
        "alt=sse;alt=json",
        "alt=sse#",
        "alt=sse?",
        " alt=sse",
        "alt=sse ",
        "alt=sse&key=x",
        "key=sk-acme-1",
        "model=other",
        "alt=sse&model=other",
        "$alt=sse",
        "?alt=sse",
        "=sse",
        "=",
        "&",
    ],
)
def test_any_other_query_is_denied(query: str) -> None:
    denied = admit(asking(path=f"{ALT_SSE}?{query}"), STREAMING)
    assert denied == Denied(UNKNOWN_ROUTE, STREAMING.routes[0], "acme")


@given(query=st.text(st.sampled_from("alt=sejon&?;%61")))
def test_what_is_let_through_of_a_query_is_what_the_dialect_writes(query: str) -> None:
    decision = admit(asking(path=f"{ALT_SSE}?{query}"), STREAMING)
    assert isinstance(decision, Admitted) is (query in {"", "alt=sse", "alt=json"})


def test_a_stranger_learns_nothing_of_queries() -> None:
    for query in ("alt=sse", "key=x"):
        request = asking(path=f"{ALT_SSE}?{query}", key=None)
        assert admit(request, STREAMING) == Denied(UNAUTHENTICATED)


def test_every_denial_names_the_tenant_and_only_known_routes() -> None:
    unknown = admit(asking(path="/nothing"), TABLE)
    assert unknown == Denied(UNKNOWN_ROUTE, None, "acme")
    wrong = admit(asking("GET", INFER[1].replace("{model}", "digits")), TABLE)
    assert isinstance(wrong, Denied)
    assert (wrong.tenant, wrong.route and wrong.route.name) == ("acme", " ".join(INFER))


def test_a_forbidden_model_reads_like_one_that_does_not_exist() -> None:
    forbidden = admit(asking(path="/v2/models/secret/infer"), TABLE)
    unknown = admit(asking(path="/v2/models/gone/infer"), TABLE)
    assert forbidden == unknown == Denied(UNKNOWN_MODEL, TABLE.routes[2], "acme")


@pytest.mark.parametrize(
    "more", [{}, {"method": "GET"}, {"content_type": "text/plain"}, {"content_encoding": "gzip"}]
)
def test_a_route_of_other_tenants_reads_like_one_that_does_not_exist(more: dict[str, Any]) -> None:
    elsewhere = admit(asking(path="/v1/chat/completions", key=OTHER_KEY, **more), TABLE)
    nowhere = admit(asking(path="/nothing", key=OTHER_KEY, **more), TABLE)
    assert elsewhere == nowhere == Denied(UNKNOWN_ROUTE, None, "beta")


def test_in_the_shadow_a_forbidden_model_is_left_to_the_record() -> None:
    about = policy(KServeV2(), route=INFER, models=("digits",), shadow=True)
    shadow = table(about, tenants=TABLE.tenants)
    decision = admit(asking(path="/v2/models/secret/infer"), shadow)
    assert isinstance(decision, Admitted)
    assert decision.policy.shadow
    # What is no path of ours is nobody's to try out.
    assert isinstance(admit(asking(path="/nothing"), shadow), Denied)


def test_a_table_without_tenants_admits_nobody() -> None:
    assert admit(GOOD, table(policy(), tenants={})) == Denied(UNAUTHENTICATED)


def test_a_key_is_of_no_use_under_another_secret() -> None:
    keys = ApiKeys(ApiKey(), b"another" * 6, TABLE.tenants)
    assert admit(GOOD, replace(TABLE, provers={"keys": keys})) == Denied(UNAUTHENTICATED)


def test_a_weak_credential_is_told_to_be_stronger_where_its_tenant_may_ask() -> None:
    """RFC 9470, section 3; a stranger and another tenant learn nothing of the demand."""
    strong = Requirement(strength=2, acr_values=("mfa", "hwk"))
    found = policy(limits=())
    demanding = replace(found, route=replace(found.route, requirement=strong))
    guarded = table(demanding, tenants={principal(KEY): "acme", principal(OTHER_KEY): "beta"})
    refused = admit(GOOD, guarded)
    assert isinstance(refused, Denied)
    assert refused.refusal == INSUFFICIENT.demanding(("mfa", "hwk"))
    assert refused.refusal.headers["www-authenticate"] == (
        'Bearer realm="extproc", error="insufficient_user_authentication", acr_values="mfa hwk"'
    )
    assert admit(asking(key=OTHER_KEY), guarded) == Denied(UNKNOWN_ROUTE, tenant="beta")
    assert admit(asking(key=UNLISTED_KEY), guarded) == Denied(UNAUTHENTICATED)
    assert INSUFFICIENT.demanding(()) == INSUFFICIENT


def test_every_denial_knows_for_the_record_who_was_denied() -> None:
    for path in ("/nothing", "/v2/models/secret/infer", "/v1/chat/completions?x=1"):
        denied = admit(asking(path=path), TABLE)
        assert isinstance(denied, Denied)
        assert denied.principal == principal(KEY)
    stranger = admit(asking(key="sk-nobody"), TABLE)
    assert isinstance(stranger, Denied)
    assert stranger.principal == ""


# What a tenant does not have is as if it did not exist.

MTLS = Requirement(all_of=("strong",), strength=5)
STRONG_KEY = "sk-strong-1"
ALL_ROUTES = ("POST /v1/embeddings", "GET /v1/embeddings", "GET /{model}/embeddings")
SPOKEN: tuple[Dialect, ...] = (OpenAIEmbeddings(), Status(), Status())


def _named(name: str) -> tuple[str, str]:
    method, path = name.split()
    return method, path


def hiding(*granted: str, requirement: Requirement = MTLS) -> PolicyTable:
    """Three routes, of which acme has those named and beta all; the first asks for something."""
    routes = [
        Route(*_named(name), dialect, requirement if name == ALL_ROUTES[0] else ANY)
        for name, dialect in zip(ALL_ROUTES, SPOKEN, strict=True)
    ]
    policies = [
        replace(policy(models=("m",), tenant=tenant), route=route)
        for tenant in ("acme", "beta")
        for route in routes
        if tenant == "beta" or route.name in granted
    ]
    strong = {principal(STRONG_KEY): "acme"}
    owners = {principal(KEY): "acme", principal(OTHER_KEY): "beta"}
    provers = {
        "keys": ApiKeys(ApiKey(), HMAC_KEY, owners),
        "strong": ApiKeys(ApiKey(strength=5), HMAC_KEY, strong),
    }
    found = table(*policies, tenants={**owners, **strong})
    return replace(found, routes=tuple(routes), provers=provers)


def told(table: PolicyTable, method: str, path: str, key: str = KEY) -> Refusal | str:
    decision = admit(asking(method, path, key), table)
    return decision.refusal if isinstance(decision, Denied) else decision.policy.route.name


@pytest.mark.parametrize("requirement", [ANY, MTLS, Requirement(strength=2)])
@pytest.mark.parametrize("granted", [(), ALL_ROUTES[1:2], ALL_ROUTES[2:], ALL_ROUTES[1:]])
@pytest.mark.parametrize("key", [KEY, STRONG_KEY, UNLISTED_KEY])
def test_a_route_that_a_tenant_does_not_have_is_as_if_it_did_not_exist(
    requirement: Requirement, granted: tuple[str, ...], key: str
) -> None:
    there = hiding(*granted, requirement=requirement)
    gone = replace(there, routes=tuple(each for each in there.routes if each.name in granted))
    for method in ("GET", "POST", "PUT"):
        for path in ("/v1/embeddings", "/m/embeddings", "/x/embeddings", "/nowhere"):
            assert told(there, method, path, key) == told(gone, method, path, key)


def test_a_route_that_a_tenant_has_asks_for_what_it_asks() -> None:
    there = hiding(*ALL_ROUTES)
    assert told(there, "POST", "/v1/embeddings") == UNAUTHENTICATED
    assert told(there, "POST", "/v1/embeddings", STRONG_KEY) == "POST /v1/embeddings"
    weak = hiding(*ALL_ROUTES, requirement=Requirement(strength=2))
    assert told(weak, "POST", "/v1/embeddings") is INSUFFICIENT
    assert told(weak, "PUT", "/v1/embeddings", STRONG_KEY) is METHOD_NOT_ALLOWED


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "", "spdy/3"])
def test_an_upgrade_is_as_if_there_were_no_such_route(protocol: str) -> None:
    request = asking()
    fields = {**request.headers, "upgrade": protocol}
    found = admit(CheckedRequest(request.method, request.path, fields), TABLE)
    assert isinstance(found, Denied)
    assert found.refusal == UNKNOWN_ROUTE
    assert found.refusal.outcome == "upgrade"


def test_what_envoy_selects_for_a_route_holds_instead_of_the_tenants_own() -> None:
    asked = asking()
    gold = {key: replace(each, models=("gold",)) for key, each in TABLE.policies.items()}
    found = replace(TABLE, selected={"gold": gold})
    for name, models in (("", "m"), ("gold", "gold")):
        request = CheckedRequest(asked.method, asked.path, asked.headers, policy=name)
        decision = admit(request, found)
        assert isinstance(decision, Admitted)
        assert decision.policy.permits(models)
    unknown = CheckedRequest(asked.method, asked.path, asked.headers, policy="nobodys")
    denied = admit(unknown, found)
    assert isinstance(denied, Denied)
    assert denied.refusal == UNKNOWN_ROUTE


def test_whose_a_strangers_denial_is_stays_known_here() -> None:
    denied = admit(asking("POST", "/v1/embeddings"), hiding(*ALL_ROUTES))
    assert denied == Denied(UNAUTHENTICATED)
    assert isinstance(denied, Denied)
    assert denied.hidden == "acme"


HALF = Rollout("enforce", 50)
"""In force for acme, on trial for beta."""
SHADOW = Rollout("shadow")


@pytest.mark.parametrize(
    ("denied", "rollout", "expected"),
    [
        (Denied(UNKNOWN_ROUTE, tenant="acme"), WHOLE, False),
        (Denied(UNKNOWN_ROUTE, tenant="acme"), HALF, False),
        (Denied(UNKNOWN_ROUTE, tenant="beta"), HALF, True),
        (Denied(UNAUTHENTICATED, hidden="acme"), HALF, False),
        (Denied(UNAUTHENTICATED, hidden="beta"), HALF, True),
        (Denied(UNAUTHENTICATED), HALF, True),
        *((Denied(UNAUTHENTICATED.called(cause)), HALF, False) for cause in UNKNOWN),
        *((Denied(UNAUTHENTICATED.called(cause)), SHADOW, True) for cause in UNKNOWN),
        (Denied(UNKNOWN_ROUTE.called(Cause.TENANT_STOPPED), tenant="beta"), HALF, False),
        (Denied(UNKNOWN_ROUTE.called(Cause.TENANT_STOPPED), tenant="beta"), SHADOW, False),
    ],
)
def test_what_is_denied_is_on_trial_where_all_is_for_who_asks(
    denied: Denied, rollout: Rollout, expected: bool
) -> None:
    assert only_on_trial(denied, rollout) is expected


def test_an_issuer_is_asked_who_it_is_that_may_not_know_of_a_route() -> None:
    class Asking:
        headers = ("authorization",)

        def prove(self, request: CheckedRequest, now: float) -> Needed:
            return Needed("other", "token")

    there = hiding(*ALL_ROUTES)
    asks = replace(there, provers={**there.provers, "other": Asking()})
    asked = asking("POST", "/v1/embeddings", UNLISTED_KEY)
    assert admission.admit(asked, asks, now=1e9) == Needed("other", "token")
    unknown = asking("POST", "/nowhere", UNLISTED_KEY)
    assert admission.admit(unknown, asks, now=1e9) == Needed("other", "token")
    assert told(asks, "POST", "/v1/embeddings") == UNAUTHENTICATED


def test_header_fields_that_are_too_large_are_refused_to_whoever_may_ask() -> None:
    own = policy()
    own = replace(own, route=replace(own.route, contract=Contract(headers=200)))
    small = table(own, tenants={principal(KEY): "acme"})
    assert isinstance(admit(GOOD, small), Admitted)
    decision = admit(asking(x_more="y" * 200), small)
    assert isinstance(decision, Denied)
    assert decision.refusal is HEADERS_TOO_LARGE
    decision = admit(asking(x_more="y" * 200, key=UNLISTED_KEY), small)
    assert isinstance(decision, Denied)
    assert decision.refusal == UNAUTHENTICATED
    on_trial = table(replace(own, shadow=True), tenants={principal(KEY): "acme"})
    assert isinstance(admit(asking(x_more="y" * 200), on_trial), Admitted)


def test_where_a_request_comes_from_is_told_by_a_keyed_digest_of_its_network() -> None:
    limit = Limit(BURST.rule, "requests", ("address",), prefix=(24, 64))
    chosen = table(policy(limits=(limit,)), tenants={principal(KEY): "acme"})
    found = []
    for address in ("203.0.113.1", "203.0.113.200", "203.0.114.1", ""):
        decision = admit(coming_from(GOOD, address), chosen)
        assert isinstance(decision, Admitted)
        [charge] = decision.charges
        assert charge.subject == decision.networks[24, 64]
        found.append(charge.subject)
    near, near_too, far, nowhere = found
    assert near == near_too
    assert len({near, far, nowhere}) == 3
    assert "203" not in near


def test_only_where_detection_watches_is_it_asked_whence_a_request_comes() -> None:
    found = []
    for watched in (False, True):
        own = replace(policy(), watched=watched)
        decision = admit(GOOD, table(own, tenants={principal(KEY): "acme"}))
        assert isinstance(decision, Admitted)
        found.append(decision.origin)
    assert found[0] == NOWHERE
    assert len(found[1].client) == 16


def coming_from(request: CheckedRequest, address: str) -> CheckedRequest:
    return CheckedRequest(request.method, request.path, request.headers, Peer(address))
