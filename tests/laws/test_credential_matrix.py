"""Who is let in with what: every policy of these axes, against an oracle that knows no code here.

The oracle is docs/entitlement.md, sentence by sentence.  Law: for every mode, grant, demand of a
route, credential, method, model and feature the decision, and in the record its cause, is what the
oracle says; and what differs in its cause alone does not differ in any byte.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from extproc.admission import Admitted, Denied, admit
from extproc.config import compile_table, load
from extproc.dialects.problem import UNROUTED
from extproc.errors import ClientError
from extproc.events import CheckedRequest
from extproc.policy import PolicyTable
from extproc.reading import read
from extproc.refusal import Refusal
from extproc.wording import told

SECRET = "0123456789abcdef0123456789abcdef"
PATH = "/v1/chat/completions"


class Rules(NamedTuple):
    """What the file says of the one route, and of the one policy."""

    mode: str
    risk: str
    high_risk: bool
    routes: bool
    demand: str


DEMANDS: Mapping[str, dict[str, Any]] = {
    "nothing": {},
    "strength 1": {"strength": 1},
    "strength 3": {"strength": 3},
    "the strong one": {"any_of": ["strong"]},
    "either": {"any_of": ["weak", "strong"]},
    "both": {"all_of": ["weak", "strong"]},
    "one and another": {"all_of": ["weak"], "any_of": ["strong"]},
}
RULES = [
    Rules(*each)
    for each in product(
        ("enforce", "shadow"), ("normal", "high"), (True, False), (True, False), DEMANDS
    )
]


class Ask(NamedTuple):
    weak: str
    """Whose key of strength 1 is shown, or what stands there instead."""
    strong: str
    method: str
    path: str
    model: str
    tools: bool


WHO = ("", "acme", "beta", "nobody")
BODIES = [*product(("m", "secret", "sesame", "x"), (False, True))]
ASKS = [
    Ask(weak, strong, *each)
    for weak, strong in product(WHO, WHO)
    for each in (
        *(("POST", PATH, *body) for body in BODIES),
        ("PUT", PATH, "m", False),
        ("POST", "/nowhere", "m", False),
    )
]


# What is asked, and what is answered to it.


def table(rules: Rules, folder: Path) -> PolicyTable:
    route: dict[str, Any] = {"path": PATH, "dialect": "openai_chat", "risk": rules.risk}
    policy: dict[str, Any] = {
        "mode": rules.mode,
        "models": ["m", "se*"],
        "fidelity": "all",
        "allow": {"tools": False},
        "exceptions": [
            {"models": ["secret"], "deny": True},
            {"models": ["se*"], "allow": {"tools": True}},
        ],
        "routes": ["POST *", "GET *"] if rules.routes else ["GET *"],
    }
    if rules.high_risk and rules.risk == "high" and rules.routes:
        policy["high_risk"] = ["*"]
    file = {
        "version": 1,
        "listen": "unix:///s.sock",
        "health": "127.0.0.1:9101",
        "keys": {"hmac": "env:HMAC"},
        "credentials": {
            "weak": {"kind": "api_key", "headers": ["authorization"], "strength": 1},
            "strong": {"kind": "api_key", "headers": ["x-api-key"], "strength": 3},
        },
        "routes": [
            {**route, "credentials": DEMANDS[rules.demand]},
            {"method": "GET", "path": "/health", "dialect": "status"},
        ],
        "fidelities": {"all": {"text": "pass"}},
        "policies": {"one": policy},
        "tenants": {
            name: {"policy": "one", "principals": [principal(name)]} for name in ("acme", "beta")
        },
    }
    if not (rules.routes and (rules.high_risk or rules.risk == "normal")):
        policy["exceptions"] = []  # they would never be reached
        policy["allow"] = {}
        policy["models"] = ["*"]
    path = folder / "policy.yaml"
    path.write_text(json.dumps(file, indent=1))
    return compile_table(load(path), {"HMAC": SECRET})


def principal(name: str) -> str:
    return f"key:{hmac.digest(SECRET.encode(), name.encode(), 'sha256').hex()}"


def request(ask: Ask) -> CheckedRequest:
    headers = {"content-type": "application/json"}
    headers |= {"authorization": f"Bearer {ask.weak}"} if ask.weak else {}
    headers |= {"x-api-key": ask.strong} if ask.strong else {}
    return CheckedRequest(ask.method, ask.path, headers)


Answer = tuple[int, str]
"""The status, and what the record calls it."""


def answered(found: PolicyTable, ask: Ask) -> tuple[Answer, bytes]:
    """And all bytes of a refusal."""
    decision = admit(request(ask), found, 0.0)
    if isinstance(decision, Denied):
        dialect = decision.route.dialect if decision.route is not None else UNROUTED
        return _said(decision.refusal, dialect)
    assert isinstance(decision, Admitted)
    assert decision.policy.tenant in {ask.weak, ask.strong}
    tools = [{"type": "function"}] if ask.tools else []
    body = json.dumps({"model": ask.model, "messages": [], "tools": tools}).encode()
    try:
        read(decision.policy, body, decision.parameters)
    except ClientError as error:
        if not decision.policy.shadow:
            return _said(error.refusal, decision.policy.route.dialect)
    return (200, ""), b""


def _said(refusal: Refusal, dialect: Any) -> tuple[Answer, bytes]:
    answer = told(refusal, dialect)
    wire = f"{answer.status}{[*answer.headers.items()]}".encode() + answer.body
    return (answer.status, refusal.outcome), wire


# What docs/entitlement.md says.


STRENGTHS = {"weak": 1, "strong": 3}


def expected(rules: Rules, ask: Ask) -> Answer:
    shown = {"weak": ask.weak, "strong": ask.strong}
    proven = {name: who for name, who in shown.items() if who in {"acme", "beta"}}
    if not proven:
        return 401, "key_unknown" if any(shown.values()) else "credential_missing"
    there = ask.path == PATH and rules.routes and (rules.risk == "normal" or rules.high_risk)
    if len(set(proven.values())) > 1 and not (there and rules.demand == "the strong one"):
        return 401, "tenants_differ"  # where a route names one of them, no other is looked at
    if ask.path != PATH:
        return 404, "not_found"
    if not there:
        return 404, "route_not_granted"
    if lacking := _lacking(rules, set(proven)):
        return 401, lacking
    if ask.method != "POST":
        return 405, "method_not_allowed"
    return (200, "") if rules.mode == "shadow" else _asked(ask)


def _lacking(rules: Rules, proven: set[str]) -> str:
    demand = DEMANDS[rules.demand]
    any_of, all_of = set(demand.get("any_of", ())), set(demand.get("all_of", ()))
    if not proven >= all_of or (any_of and not any_of & proven):
        return "credential_other"
    counting = (any_of | all_of or set(STRENGTHS)) & proven
    least = demand.get("strength", 2 if rules.risk == "high" else 0)
    strongest = max(STRENGTHS[name] for name in counting)
    return "insufficient_user_authentication" if strongest < least else ""


def _asked(ask: Ask) -> Answer:
    match ask.model:
        case "x":
            return 404, "model_not_found"
        case "secret":
            return 404, "model_denied"
        case "sesame":
            return 200, ""
        case _:
            return (403, "feature_tools") if ask.tools else (200, "")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Rules, PolicyTable]:
    folder = tmp_path_factory.mktemp("matrix")
    return {rules: table(rules, folder) for rules in RULES}


def test_every_decision_and_its_cause_is_what_the_file_says(
    tables: Mapping[Rules, PolicyTable],
) -> None:
    cases = 0
    for rules, found in tables.items():
        for ask in ASKS:
            assert answered(found, ask)[0] == expected(rules, ask), (rules, ask)
            cases += 1
    assert cases == len(RULES) * len(ASKS) > 9000


LOOKS_LIKE = {
    "key_unknown": "credential_missing",
    "tenants_differ": "credential_missing",
    "credential_other": "credential_missing",
    "route_not_granted": "not_found",
    "model_denied": "model_not_found",
}


def test_no_byte_depends_on_the_cause(tables: Mapping[Rules, PolicyTable]) -> None:
    said: dict[str, set[bytes]] = {}
    for found in tables.values():
        for (_, outcome), wire in _all(found):
            said.setdefault(LOOKS_LIKE.get(outcome, outcome), set()).add(wire)
    assert {outcome: len(bodies) for outcome, bodies in said.items()} == dict.fromkeys(said, 1)
    assert said.keys() >= {*LOOKS_LIKE.values(), "method_not_allowed", "feature_tools"}


def _all(found: PolicyTable) -> Iterator[tuple[Answer, bytes]]:
    return (answered(found, ask) for ask in ASKS)
