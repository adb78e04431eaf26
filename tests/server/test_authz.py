"""ext_authz over real gRPC: who is let in with what, and that whatever goes wrong denies."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
from google.protobuf.json_format import ParseDict

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.admission import Denied
from extproc.cause import Cause
from extproc.credentials import EnvoyJwt, EnvoyJwts, Introspection, Introspections, Needed
from extproc.credentials.api_key import HEADERS
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.dialects import KServeV2
from extproc.dialects.problem import PROBLEM
from extproc.errors import IssuerUnavailable, StoreUnavailable
from extproc.events import CheckedRequest, RequestBody, RequestHeaders, ResponseHeaders
from extproc.exhaustion import STOPPED
from extproc.limits import Charge, Refused, Taken, Wait, microseconds
from extproc.origin import JA4
from extproc.policy import PolicyTable
from extproc.refusal import REPLAYED, UNASKED, UNAUDITED, UNAUTHENTICATED, UNCOUNTED, UNKNOWN_MODEL
from extproc.rollout import Rollout
from extproc.server import authz
from extproc.server.protobuf import AUTHZ, handover
from extproc.stores.memory import MemoryCounters
from tests.playbook import HMAC_KEY, SECRET, policy, rate, table
from tests.server.wire import CHECK, Envoy, Sidecar, Stream, running

KEY, OTHER_KEY = "sk-acme-s3cret", "sk-acme-other-s3cret"
INFER = ("POST", "/v2/models/{model}/infer")


def principal(key: str) -> str:
    return f"key:{hmac.new(HMAC_KEY, key.encode(), 'sha256').hexdigest()}"


BURST = rate("burst", "principal", 2, 10)
DAILY = rate("daily", "tenant", 3, 86_400)
TABLE = table(
    policy(limits=(BURST, DAILY)),
    policy(KServeV2(), route=INFER, models=("digits",)),
    policy(route=("POST", "/v1/shadowed"), limits=(BURST,), shadow=True),
    tenants={principal(KEY): "acme", principal(OTHER_KEY): "acme"},
)


def asking(path: str = "/v1/chat/completions", key: str = KEY, method: str = "POST") -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    return CheckedRequest(method, path, headers)


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("s")


@pytest.fixture
async def wired(socket: Path) -> AsyncIterator[tuple[Sidecar, Envoy]]:
    async with running(socket, TABLE) as both:
        yield both


def told(response: CheckResponse) -> dict[str, Any]:
    """The dynamic metadata, by name."""
    return {
        name: value.string_value or value.number_value or dict(value.struct_value.fields)
        for name, value in response.dynamic_metadata.fields.items()
    }


def denial(response: CheckResponse) -> tuple[int, dict[str, str], Any]:
    assert response.status.code != 0
    found = response.denied_response
    headers = {option.header.key: option.header.value for option in found.headers}
    return found.status.code, headers, orjson.loads(found.body)


async def test_an_admitted_request_loses_its_credential_and_gains_a_handover(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    response = await envoy.check(asking())
    assert (response.status.code, response.HasField("ok_response")) == (0, True)
    removed = set(response.ok_response.headers_to_remove)
    assert removed >= {*HEADERS, "accept-encoding", "range", "if-none-match"}
    assert not response.ok_response.headers
    metadata = told(response)
    assert len(bytes.fromhex(metadata.pop("exchange"))) == 8
    assert metadata == {
        "config": "v1",
        "route": "POST /v1/chat/completions",
        "tenant": "acme",
        "principal": principal(KEY),
        "refusal": {},
        "arrival": sidecar.wall.now,
        "charge": 1,
    }
    assert sidecar.count("extproc_checks_total", outcome="allowed") == 1
    assert SECRET not in str(response)
    assert sidecar.recorded() == []


async def test_whence_a_request_comes_is_handed_over_where_detection_watches(
    socket: Path,
) -> None:
    watched = table(replace(policy(), watched=True), tenants={principal(KEY): "acme"})
    async with running(socket, watched) as (_, envoy):
        response = await envoy.check(asking())
    assert JA4 in response.ok_response.headers_to_remove
    message = ProcessingRequest()
    message.metadata_context.filter_metadata[AUTHZ].CopyFrom(response.dynamic_metadata)
    found = handover(message)
    assert found is not None
    assert len(bytes.fromhex(found.client)) == 8


async def test_no_two_exchanges_have_one_name(wired: tuple[Sidecar, Envoy]) -> None:
    path = "/v2/models/digits/infer"
    responses = await asyncio.gather(*(wired[1].check(asking(path)) for _ in range(50)))
    assert len({told(response)["exchange"] for response in responses}) == 50


async def test_what_ext_authz_tells_is_what_ext_proc_serves_by(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    response = await envoy.check(asking("/v2/models/digits/infer"))
    message = ProcessingRequest()
    message.metadata_context.filter_metadata[AUTHZ].CopyFrom(response.dynamic_metadata)
    found = handover(message)
    assert found is not None
    assert dict(found.parameters) == {
        "model": "digits",
        "content-type": "application/json",
    }
    stream = await envoy.stream(found).send(RequestHeaders(end=False))
    body = b'{"inputs":[{"name":"x","shape":[3,1],"datatype":"FP32","data":[1,2,3]}]}'
    await stream.send(RequestBody(body, end=True))
    assert (await stream.receive()).HasField("request_headers")
    await stream.send(ResponseHeaders(503, {":status": "503"}, end=True))
    assert (await stream.receive()).HasField("immediate_response")
    await end(stream, sidecar)
    [record] = sidecar.recorded()
    assert (record["model"], record["inputs"], record["request_id"]) == (
        "digits",
        3,
        found.exchange,
    )


async def end(stream: Stream, sidecar: Sidecar) -> None:
    """End the stream, and wait until the sidecar has recorded it."""
    assert await stream.end() is grpc.StatusCode.OK
    async with asyncio.timeout(10):
        while sidecar.count("extproc_streams"):  # noqa: ASYNC110 - a gauge has no events
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("request_", "status", "code", "cause", "route"),
    [
        (asking(key="wrong"), 401, "invalid_api_key", "key_unknown", {}),
        (asking("/nothing", key="wrong"), 401, "invalid_api_key", "key_unknown", {}),
        (asking("/nothing"), 404, "not_found", "", {}),
        (
            asking("/v1/chat/completions?x"),
            404,
            "not_found",
            "query_unknown",
            "POST /v1/chat/completions",
        ),
        (asking(method="GET"), 405, "method_not_allowed", "", "POST /v1/chat/completions"),
        (
            CheckedRequest("POST", "/v1/chat/completions", {"x-api-key": KEY}),
            415,
            "unsupported_media_type",
            "",
            "POST /v1/chat/completions",
        ),
        (CheckedRequest("", "", {}), 401, "invalid_api_key", "credential_missing", {}),
    ],
)
async def test_a_denial_says_its_class_and_the_record_its_cause(
    wired: tuple[Sidecar, Envoy],
    request_: CheckedRequest,
    status: int,
    code: str,
    cause: str,
    route: Any,
) -> None:
    sidecar, envoy = wired
    response = await envoy.check(request_)
    found, headers, body = denial(response)
    assert (found, body["error"]["code"]) == (status, code)
    assert headers["content-type"] == ("application/json" if route else PROBLEM)
    assert ("www-authenticate" in headers) == (status == 401)
    metadata = told(response)
    assert (metadata["refusal"], metadata["route"], metadata["principal"]) == (code, route, {})
    assert sidecar.count("extproc_checks_total", outcome=cause or code) == 1
    [record] = sidecar.recorded()
    assert (record["message"], record["code"]) == ("denied", cause or code)
    assert record["tenant"] == ("" if status == 401 else "acme")
    assert not cause or cause not in str(response)
    assert SECRET not in str([record, response])


async def test_a_denial_has_the_shape_of_its_api(wired: tuple[Sidecar, Envoy]) -> None:
    found, _, body = denial(await wired[1].check(asking("/v2/models/secret/infer")))
    assert (found, body) == (404, {"error": UNKNOWN_MODEL.message})


async def test_strangers_get_one_answer_byte_for_byte(wired: tuple[Sidecar, Envoy]) -> None:
    paths = ["/v1/chat/completions", "/v2/models/digits/infer", "/nothing", "/"]
    answers = [
        (await wired[1].check(asking(path, key="wrong", method=method))).denied_response
        for path in paths
        for method in ("GET", "POST")
    ]
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1


# Limits.


async def test_who_waits_as_long_as_told_is_let_in(wired: tuple[Sidecar, Envoy]) -> None:
    sidecar, envoy = wired
    for _ in range(BURST.rule.max):
        assert (await envoy.check(asking())).status.code == 0
    status, headers, body = denial(await envoy.check(asking()))
    assert (status, body["error"]["code"]) == (429, "rate_limit_exceeded")
    seconds = int(headers["retry-after"])
    assert 1 <= seconds <= 10
    sidecar.wall.now += seconds
    assert (await envoy.check(asking())).status.code == 0


async def test_a_tenants_limit_holds_over_all_its_keys(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    answers = [await envoy.check(asking(key=key)) for key in (KEY, OTHER_KEY, KEY, OTHER_KEY)]
    assert [answer.status.code == 0 for answer in answers] == [True, True, True, False]
    assert int(denial(answers[-1])[1]["retry-after"]) > 10


async def test_many_requests_at_once_never_pass_a_limit_of_fewer(
    wired: tuple[Sidecar, Envoy],
) -> None:
    answers = await asyncio.gather(*(wired[1].check(asking()) for _ in range(100)))
    assert sum(answer.status.code == 0 for answer in answers) == BURST.rule.max


async def test_what_is_denied_costs_nothing(wired: tuple[Sidecar, Envoy]) -> None:
    _, envoy = wired
    for _ in range(10):
        denial(await envoy.check(asking(method="GET")))
    assert (await envoy.check(asking())).status.code == 0


HALF = Rollout("enforce", 50)
"""In force for acme, on trial for beta."""


@pytest.mark.parametrize(
    ("denial", "rollout", "passes"),
    [
        (Denied(UNKNOWN_MODEL, tenant="acme"), Rollout(), False),
        (Denied(UNKNOWN_MODEL, tenant="acme"), HALF, False),
        (Denied(UNKNOWN_MODEL, tenant="beta"), HALF, True),
        (Denied(REPLAYED, hidden="acme"), HALF, False),
        (Denied(REPLAYED, hidden="beta"), HALF, True),
        (Denied(UNAUTHENTICATED), HALF, True),
        (Denied(UNAUTHENTICATED), Rollout(), False),
        (Denied(UNAUDITED), HALF, False),
        (Denied(UNASKED), HALF, False),
        (Denied(UNAUTHENTICATED.called(Cause.TOKEN_KEYS_MISSING)), HALF, False),
        (Denied(UNAUTHENTICATED.called(Cause.TOKEN_KEY_UNKNOWN)), HALF, False),
        (Denied(UNAUTHENTICATED.called(Cause.TOKEN_KEYS_MISSING)), Rollout("shadow"), True),
        (Denied(UNAUTHENTICATED.called(Cause.TOKEN_EXPIRED)), HALF, True),
        (Denied(UNCOUNTED, tenant="acme"), HALF, False),
        (Denied(UNAUDITED), Rollout("shadow"), True),
        (Denied(UNASKED), Rollout("shadow"), True),
        (Denied(STOPPED.refusal, tenant="beta"), HALF, False),
        (Denied(STOPPED.refusal, tenant="beta"), Rollout("shadow"), False),
    ],
)
async def test_what_is_denied_passes_where_it_is_on_trial_for_who_asks_and_nowhere_else(
    socket: Path,
    monkeypatch: pytest.MonkeyPatch,
    denial: Denied,
    rollout: Rollout,
    passes: bool,
) -> None:
    monkeypatch.setattr(authz, "admit", lambda *_: denial)
    async with running(socket, replace(TABLE, rollout=rollout)) as (sidecar, envoy):
        found = await envoy.check(asking())
    assert (found.status.code == 0) is passes
    assert told(found).get("passed", "") == (denial.refusal.outcome if passes else "")
    assert not found.ok_response.headers_to_remove
    outcome = f"shadow:{denial.refusal.outcome}" if passes else denial.refusal.outcome
    assert sidecar.count("extproc_checks_total", outcome=outcome) == 1


async def test_in_the_shadow_a_limit_is_counted_and_let_through(
    wired: tuple[Sidecar, Envoy],
) -> None:
    sidecar, envoy = wired
    for _ in range(BURST.rule.max + 3):
        assert (await envoy.check(asking("/v1/shadowed"))).status.code == 0
    assert sidecar.count("extproc_checks_total", outcome="shadow:rate_limit_exceeded") == 3
    assert sidecar.count("extproc_check_duration_seconds_count") == 5


@pytest.mark.parametrize(
    ("wait", "seconds"), [(1e-9, "1"), (0.2, "1"), (1.0, "1"), (1.1, "2"), (2.5, "5"), (59.5, "60")]
)
async def test_a_wait_is_rounded_up_to_one_of_few(socket: Path, wait: float, seconds: str) -> None:
    class Empty(MemoryCounters):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            return Refused((Wait(0, microseconds(wait)),))

    async with running(socket, TABLE, Empty()) as (_, envoy):
        assert denial(await envoy.check(asking()))[1]["retry-after"] == seconds


# Whom nobody here knows.

OPAQUE = "opaque-token-0123456789"


def tokens() -> Introspections:
    settings = Introspection(
        issuer="https://login.example.com",
        url="https://login.example.com/introspect",
        client_id="us",
        client_secret="env:SECRET",
    )
    return Introspections("tokens", settings, "s", HMAC_KEY, ["acme"])


def owned(*provers: Introspections) -> PolicyTable:
    """What Alice may do, whoever of these knows her."""
    found = {str(number): prover for number, prover in enumerate(provers)}
    owners = {"jwt:https://login.example.com|alice": "acme"}
    return replace(TABLE, provers=found, tenants=owners)


async def test_an_issuer_is_asked_once_and_its_answer_decides(socket: Path) -> None:
    known, asked = tokens(), list[Needed]()

    async def ask(needed: Needed) -> None:
        asked.append(needed)
        active = needed.token == OPAQUE
        known.learn(needed.token, {"active": active, "sub": "alice"}, 1_800_000_000.0)

    async with running(socket, owned(known), ask=ask) as (_, envoy):
        for _ in range(2):
            response = await envoy.check(asking("/v2/models/digits/infer", OPAQUE))
            assert response.status.code == 0
            assert told(response)["principal"] == "jwt:https://login.example.com|alice"
        for _ in range(2):
            refused = denial(await envoy.check(asking(key=f"{OPAQUE}-revoked")))
            assert (refused[0], refused[2]["error"]["code"]) == (401, "invalid_api_key")
        assert [needed.token for needed in asked] == [OPAQUE, f"{OPAQUE}-revoked"]


@pytest.mark.parametrize("down", [True, False])
async def test_an_issuer_that_says_nothing_denies(socket: Path, *, down: bool) -> None:
    asked = list[Needed]()

    async def ask(needed: Needed) -> None:
        asked.append(needed)
        assert len(asked) == 1
        if down:
            raise IssuerUnavailable(SECRET)

    async with running(socket, owned(tokens()), ask=ask) as (sidecar, envoy):
        status, _, body = denial(await envoy.check(asking(key=OPAQUE)))
        assert (status, body["error"]["code"]) == (503, "unavailable")
        assert len(asked) == 1
        [record] = sidecar.recorded()
        assert OPAQUE not in str(record)
        assert SECRET not in str(record)


async def test_where_nobody_can_be_asked_nobody_is_let_in(socket: Path) -> None:
    async with running(socket, owned(tokens())) as (_, envoy):
        assert denial(await envoy.check(asking(key=OPAQUE)))[0] == 503


async def test_each_issuer_is_asked_until_one_knows_the_token(socket: Path) -> None:
    first, second = tokens(), tokens()
    second._name, first._name = "second", "first"

    async def ask(needed: Needed) -> None:
        prover = {"first": first, "second": second}[needed.credential]
        active = needed.credential == "second"
        prover.learn(needed.token, {"active": active, "sub": "alice"}, 1_800_000_000.0)

    async with running(socket, owned(first, second), ask=ask) as (_, envoy):
        response = await envoy.check(asking("/v2/models/digits/infer", OPAQUE))
        assert response.status.code == 0


async def test_an_issuer_is_asked_before_anything_is_counted(socket: Path) -> None:
    """Whoever nobody knows takes no tenant's limits, and no place among the counters."""
    full = MemoryCounters(capacity=1)

    async def ask(needed: Needed) -> None:
        raise IssuerUnavailable("down")

    async with running(socket, owned(tokens()), full, ask=ask) as (_, envoy):
        assert denial(await envoy.check(asking(key=OPAQUE)))[0] == 503
        assert len(full) == 0


async def test_what_envoy_itself_has_verified_is_believed_where_the_policy_says_so() -> None:
    settings = EnvoyJwt(issuer="i", tenant="org")
    said = {"iss": "i", "sub": "alice", "exp": 1_900_000_000, "org": "acme"}
    request = CheckRequest()
    http = request.attributes.request.http
    http.method, http.path = "POST", "/v2/models/digits/infer"
    http.headers["content-type"] = "application/json"
    metadata = request.attributes.metadata_context.filter_metadata
    ParseDict({"jwt_payload": said}, metadata[NAMESPACE])
    believing = replace(TABLE, provers={"mesh": EnvoyJwts(settings, ["acme"])})
    for made, status in ((believing, 0), (TABLE, 7)):
        sidecar = Sidecar(made)
        response = await sidecar.authorization.check(request, None)
        assert response.status.code == status
        sidecar.records.close()


# Whatever goes wrong denies.


async def test_a_store_that_cannot_answer_denies(socket: Path) -> None:
    class Down(MemoryCounters):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            raise StoreUnavailable("down")

    async with running(socket, TABLE, Down()) as (sidecar, envoy):
        status, headers, body = denial(await envoy.check(asking()))
        assert (status, body["error"]["code"]) == (503, "unavailable")
        assert "retry-after" not in headers
        assert sidecar.count("extproc_checks_total", outcome="store_unavailable") == 1


async def test_in_the_shadow_a_store_that_cannot_answer_is_counted_and_let_through(
    socket: Path,
) -> None:
    class Down(MemoryCounters):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            raise StoreUnavailable("down")

    async with running(socket, TABLE, Down()) as (sidecar, envoy):
        assert (await envoy.check(asking("/v1/shadowed"))).status.code == 0
        assert sidecar.count("extproc_checks_total", outcome="shadow:store_unavailable") == 1


async def test_a_store_that_cannot_answer_is_not_asked_where_nothing_is_limited(
    socket: Path,
) -> None:
    class Down(MemoryCounters):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            raise StoreUnavailable("down")

    async with running(socket, TABLE, Down()) as (_, envoy):
        assert (await envoy.check(asking("/v2/models/digits/infer"))).status.code == 0


@pytest.mark.parametrize(
    "fault", [RuntimeError(SECRET), KeyError(SECRET), MemoryError(SECRET), TimeoutError(SECRET)]
)
@pytest.mark.parametrize("where", ["admit", "take"])
async def test_an_unexpected_error_denies_and_tells_nothing(
    socket: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
    fault: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise fault

    class Broken(MemoryCounters):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            raise fault

    if where == "admit":
        monkeypatch.setattr(authz, "admit", fail)
    async with running(socket, TABLE, Broken()) as (sidecar, envoy):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await envoy.check(asking())
        assert error.value.code() is grpc.StatusCode.INTERNAL
        assert SECRET not in str(error.value)
        assert SECRET not in caplog.text
        [record] = sidecar.recorded()
        assert (record["message"], record["error"]) == ("internal error", type(fault).__name__)
        assert record["at"].startswith("test_authz.py:")


async def test_bytes_that_are_no_check_request_are_an_error(
    socket: Path, wired: tuple[Sidecar, Envoy]
) -> None:
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(CHECK, bytes, bytes)(b"\xff\xff\xff", timeout=10)


async def test_a_table_that_lost_a_policy_denies(socket: Path) -> None:
    async with running(socket, replace(TABLE, policies={})) as (_, envoy):
        assert denial(await envoy.check(asking()))[0] == 404
