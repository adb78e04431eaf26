"""The law of overrides: whatever a team writes, what a platform says holds for every tenant, on
every route, for every model.

Team files are made at random of everything that could get around an override; most of them load,
and of those every policy is looked at, with what its exceptions make of it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from extproc.config import compile_table, load
from extproc.errors import ConfigError
from extproc.policy import Policy, PolicyTable

BASE = {
    "version": 1,
    "overrides": {
        "timing": {"grid": "200ms"},
        "credentials": {"*": {"strength": 1}, "corporate": {"kind": "api_key", "strength": 2}},
        "fidelities": {
            "*": {
                "tensor": [{"kind": "drop"}],
                "logprobs": [{"kind": "drop"}],
                "probabilities": [{"kind": "label_only"}],
            },
            "only": {"text": "pass"},
        },
        "policies": {
            "*": {"mode": "enforce", "allow": {"tools": False, "max_tokens": 100}},
            "fixed": {"fidelity": "only"},
        },
        "routes": {
            "*": {"dialect": {"allow_response": [], "allow_request": []}},
            "POST /v1/embeddings": {"risk": "high", "input": {"batch": 4}},
        },
    },
}
KINDS = ["text", "logprobs", "tensor", "probabilities", "usage", "embedding"]
TIERS = st.sampled_from(["a", "only"])
POLICIES = st.sampled_from(["a", "fixed"])


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


allow = maybe(tools=st.booleans(), max_tokens=st.integers(1, 10_000), batch=st.integers(1, 9))
exceptions = maybe(models=st.just(["m"]), fidelity=TIERS, deny=st.just(False))
features = st.fixed_dictionaries({"models": st.just(["n"])}, optional={"fidelity": TIERS})
policies = st.fixed_dictionaries(
    {"models": st.just(["*"]), "fidelity": TIERS, "high_risk": st.just(["*"])},
    optional={
        "mode": st.sampled_from(["enforce", "shadow"]),
        "exceptions": st.one_of(
            st.lists(exceptions, max_size=1),
            st.tuples(features, exceptions).map(list),
        ),
        "timing": st.just({"grid": "20ms"}),
    },
)
chatting = st.fixed_dictionaries(
    {"models": st.just(["*"]), "fidelity": TIERS, "high_risk": st.just(["*"])},
    optional={
        "allow": allow,
        "exceptions": st.lists(
            st.fixed_dictionaries({"models": st.just(["m"])}, optional={"allow": allow}), max_size=1
        ),
    },
)
DIALECTS = st.sampled_from(
    ["openai_embeddings", {"kind": "openai_embeddings", "allow_response": ["x"]}, "openai_chat"]
)
PATHS = ("/v1/embeddings", "/v1/{x}", "/{x}/embeddings", "/{x}/{y}", "/v1/embeddings/{x}")
"""From the narrow to the wide, so that none is hidden by one before it."""
routes = st.lists(
    st.fixed_dictionaries(
        {"path": st.sampled_from(PATHS), "dialect": DIALECTS},
        optional={"credentials": maybe(strength=st.integers(0, 2)), "risk": st.just("normal")},
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda route: str(route["path"]),
).map(lambda found: sorted(found, key=lambda route: PATHS.index(route["path"])))
CHAT = {"path": "/v1/chat/completions", "dialect": "openai_chat", "risk": "high"}
tiers = st.dictionaries(st.sampled_from(KINDS), st.just("pass"), max_size=5)
kinds = st.one_of(policies, chatting)
teams = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "listen": st.just("unix:///run/x.sock"),
        "health": st.just("127.0.0.1:9101"),
        "keys": st.just({"hmac": "env:HMAC"}),
        "routes": routes.map(lambda found: [CHAT, *found]),
        "fidelities": st.fixed_dictionaries({"a": tiers}, optional={"only": tiers}),
        "policies": st.fixed_dictionaries({"a": kinds, "fixed": kinds}),
        "tenants": st.dictionaries(
            st.sampled_from(["t", "u"]), st.fixed_dictionaries({"policy": POLICIES}), min_size=1
        ),
    },
    optional={"credentials": st.just({"mine": {"kind": "api_key", "strength": 9}})},
)
LOADED: Counter[bool] = Counter()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("overlays")
    (made / "base.yaml").write_text(json.dumps(BASE), encoding="utf-8")
    return made


# Each is a file that is loaded: making a failing one smaller would take minutes.
@settings(phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}])
@given(team=teams)
def test_nothing_that_a_team_writes_gets_around_an_override(
    folder: Path, team: dict[str, Any]
) -> None:
    path = folder / "team.yaml"
    path.write_text(json.dumps(team), encoding="utf-8")
    try:
        table = compile_table(load(path, folder / "base.yaml"), {"HMAC": "k" * 32})
    except ConfigError:
        LOADED[False] += 1  # refused: nothing is served by it
        return
    LOADED[True] += 1
    for (tenant, _), policy in table.policies.items():
        for each in _all(policy):
            _check(each)
            if team["tenants"].get(tenant, {}).get("policy") == "fixed":
                assert each.fidelity.mutators == {"text": ()}
    _check_routes(table)


def test_most_of_them_were_looked_at() -> None:
    assert LOADED[True] > LOADED[False]


def _all(policy: Policy) -> Iterator[Policy]:
    yield policy
    yield from (other for _, other in policy.exceptions if other is not None)


def _check(policy: Policy) -> None:
    mutators = policy.fidelity.mutators
    assert not policy.shadow
    assert "tensor" not in mutators
    assert "logprobs" not in mutators
    assert [type(each).__name__ for each in mutators.get("probabilities", ())] in (
        [],
        ["LabelOnly"],
    )
    assert mutators.get("probabilities") != ()
    assert not policy.terms.entitlement.tools
    assert policy.terms.entitlement.max_tokens == 100
    assert policy.shaping.grid is not None
    assert policy.shaping.grid.step == 0.2
    assert getattr(policy.route.dialect, "allow_response", ()) == ()


def _check_routes(table: PolicyTable) -> None:
    for route in table.routes:
        if route.match("/v1/embeddings") is not None:
            assert route.requirement.strength >= 2
            assert route.contract is not None
            assert route.contract.batch == 4
