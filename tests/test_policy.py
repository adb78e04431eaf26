import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import KServeV2, OpenAIChat, Status
from extproc.dialects.gate import Terms
from extproc.limits import Charge, Limit
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.policy import Caps, Fidelity, Policy, PolicyTable, Route
from extproc.prediction import Probabilities

INFER = Route("POST", "/v2/models/{model}/infer", KServeV2())
VERB = Route("POST", "/v1beta/models/{model}:generateContent", KServeV2())
CHAT = Route("POST", "/v1/chat/completions", OpenAIChat())
BURST = Limit("burst", "principal", 20, 1.0)
HOURLY = Limit("hourly", "tenant", 1000, 3600.0)


def policy(
    *, tenant: str = "acme", models: tuple[str, ...] = ("*",), limits: tuple[Limit, ...] = ()
) -> Policy:
    fidelity = Fidelity("full", {"text": ()})
    return Policy(
        tenant=tenant,
        route=CHAT,
        fidelity=fidelity,
        edits=fidelity.edits(),
        answers=CHAT.dialect.answers(),
        terms=Terms(frozenset(fidelity.mutators)),
        draw=None,
        models=models,
        limits=limits,
        shadow=False,
        caps=Caps(),
    )


def test_a_tier_passes_edits_or_leaves_out_each_kind() -> None:
    edits = Fidelity("t", {"text": (), "probabilities": (TopK(k=2), Round(digits=1))}).edits()
    assert edits.keys() == {"text", "probabilities"}
    assert edits["text"] is None
    edit = edits["probabilities"]
    assert edit is not None
    edited = edit(None, Probabilities(np.array([0.62, 0.27, 0.11])))
    assert isinstance(edited, Probabilities)
    assert edited.values.tolist() == [0.6, 0.3, 0.0]


def test_mutators_work_in_order_until_one_drops() -> None:
    edits = Fidelity("t", {"probabilities": (Drop(), LabelOnly())}).edits()
    edit = edits["probabilities"]
    assert edit is not None
    assert edit(None, Probabilities(np.array([1.0]))) is None


def test_a_route_has_a_name() -> None:
    assert INFER.name == "POST /v2/models/{model}/infer"


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v2/models/digits/infer", {"model": "digits"}),
        ("/v2/models/a.b:c@d+e-f_1/infer", {"model": "a.b:c@d+e-f_1"}),
        ("/v2/models/a%20b/infer", {"model": "a b"}),
        ("/v2/models/.../infer", {"model": "..."}),
        ("/v2/models/.a/infer", {"model": ".a"}),
        (f"/v2/models/{'a' * 256}/infer", {"model": "a" * 256}),
    ],
)
def test_a_parameter_is_decoded_once(path: str, parameters: dict[str, str]) -> None:
    assert INFER.match(path) == parameters


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models//infer",
        "/v2/models/a/b/infer",
        "/v2/models/a%2Fb/infer",
        "/v2/models/a%252Fb/infer",
        "/v2/models/a%2562/infer",
        "/v2/models/a%5Cb/infer",
        "/v2/models/a%00/infer",
        "/v2/models/a%0A/infer",
        "/v2/models/a\n/infer",
        "/v2/models/a;b=c/infer",
        "/v2/models/%zz/infer",
        "/v2/models/%ff/infer",
        "/v2/models/./infer",
        "/v2/models/../infer",
        "/v2/models/%2e%2E/infer",
        "/v2/models/%C3%A4/infer",
        "/v2/models/ä/infer",
        f"/v2/models/{'a' * 257}/infer",
        "/v2/models/a/infer/",
        "/v2/models/a/infer?x=1",
        "/V2/models/a/infer",
        "/v2/models/a/infer\n",
        "/v2/models/a/%69nfer",
        "x/v2/models/a/infer",
        "",
    ],
)
def test_what_servers_may_read_in_two_ways_does_not_match(path: str) -> None:
    assert INFER.match(path) is None


def test_a_path_without_parameters_matches_itself_alone() -> None:
    route = Route("GET", "/v2/health.ready+", Status())
    assert route.match("/v2/health.ready+") == {}
    assert route.match("/v2/healthXready+") is None
    assert route.match("/v2/health.readyy") is None


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gem", "gem"),
        ("gem-2.5_pro@1", "gem-2.5_pro@1"),
        ("gem%2D2", "gem-2"),
        ("gem:streamGenerateContent", None),
        ("gem%3AstreamGenerateContent", None),
        ("gem:", None),
        (":", None),
        ("", None),
        ("..", None),
        ("a/b", None),
    ],
)
def test_what_stands_before_a_verb_has_no_colon(name: str, model: str | None) -> None:
    found = VERB.match(f"/v1beta/models/{name}:generateContent")
    assert found == (None if model is None else {"model": model})


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gem",
        "/v1beta/models/gem:",
        "/v1beta/models/gem:generatecontent",
        "/v1beta/models/gem:streamGenerateContent",
        "/v1beta/models/gem:generateContent:generateContent",
        "/v1beta/models/gem:generateContent/",
        "/v1beta/models/gem%3AgenerateContent",
        "/v1beta/models/gem/generateContent",
    ],
)
def test_a_verb_is_matched_as_it_is_written(path: str) -> None:
    assert VERB.match(path) is None


@given(st.text())
def test_a_parameter_never_holds_what_leaves_its_segment(value: str) -> None:
    matched = INFER.match(f"/v2/models/{value}/infer")
    if matched is not None:
        assert not set(matched["model"]) & set("/\\?#%;\n\0")
        assert matched["model"] not in {"", ".", ".."}


def test_a_model_is_permitted_by_any_pattern() -> None:
    chosen = policy(models=("text-*", "digits"))
    assert chosen.permits("text-small")
    assert chosen.permits("digits")
    assert not chosen.permits("digits2")
    assert not chosen.permits("Text-small")
    assert not chosen.permits("a-text-small")
    assert not chosen.permits("")


def test_limits_are_counted_per_principal_or_per_tenant() -> None:
    charges = policy(limits=(BURST, HOURLY)).charges("key:1")
    assert charges == [
        Charge("acme|burst|principal|key:1", BURST),
        Charge("acme|hourly|tenant|acme", HOURLY),
    ]


def test_no_two_counters_share_a_key() -> None:
    """A principal called like a tenant, a limit of one name for both, two tenants."""
    both = (BURST, Limit("burst", "tenant", 1, 1.0))
    keys = [
        charge.key
        for tenant in ("acme", "beta")
        for principal in ("acme", "beta", "key:1")
        for charge in policy(tenant=tenant, limits=both).charges(principal)
        if charge.limit.per == "principal" or principal == "key:1"
    ]
    assert len(set(keys)) == len(keys)


def test_a_policy_without_limits_charges_nothing() -> None:
    assert policy().charges("key:1") == []


def test_a_table_does_not_show_its_key() -> None:
    table = PolicyTable(
        version="0",
        key=b"0123456789abcdef",
        routes=(CHAT,),
        tenants={},
        policies={},
        caps=Caps(),
    )
    assert "0123456789abcdef" not in repr(table)
