"""Who gets what: every policy that its types allow, against an oracle that knows no code of ours.

The oracle reads the file as a person does, line by line.  Law: what is admitted, under which
fidelity and with which maximum of tokens, and how what is not admitted is refused, is what the
oracle says, for every tenant, route, model, feature and kind.
"""

import hmac
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from extproc.admission import Admitted, Denied, admit
from extproc.config import compile_table, load
from extproc.errors import ClientError, ConfigError
from extproc.events import CheckedRequest
from extproc.policy import PolicyTable
from extproc.reading import read

SECRET = "0123456789abcdef0123456789abcdef"
ROUTES: dict[str, dict[str, Any]] = {
    "POST /v1/chat/completions": {"dialect": "openai_chat"},
    "POST /v1/embeddings": {"dialect": "openai_embeddings", "risk": "high"},
    "POST /v2/models/{model}/infer": {"dialect": "kserve_v2"},
    "GET /v2/health/ready": {"dialect": "status"},
}
FIDELITIES = {
    "full": {"text": "pass", "embedding": "pass", "logprobs": "pass"},
    "low": {"text": "pass"},
}
MODELS = ("text-a", "text-b", "digits", "nobody")
TENANTS = ("acme", "beta")
CHAT, EMBEDDINGS, _, READY = ROUTES


def subset(values: Any, least: int = 0) -> Any:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True)


def some(**fields: Any) -> Any:
    """A mapping with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


patterns = subset([*ROUTES, "POST *", "*", "POST /v1/*"], 1)
allowances = some(
    streaming=st.booleans(),
    tools=st.booleans(),
    batch=st.integers(1, 3),
    choices=st.integers(1, 3),
    max_tokens=st.integers(1, 3),
)
exceptions = some(
    routes=patterns,
    models=subset(["text-*", "text-a", "*", "digits"]),
    fidelity=st.sampled_from([*FIDELITIES]),
    allow=allowances,
    deny=st.booleans(),
)
policies = st.builds(
    lambda needed, more: {**needed, **more},
    st.fixed_dictionaries(
        {
            "models": subset(["text-*", "text-a", "digits", "*"], 1),
            "fidelity": st.sampled_from([*FIDELITIES]),
        }
    ),
    some(
        routes=patterns,
        high_risk=subset([EMBEDDINGS, "*"]),
        allow=allowances,
        exceptions=st.lists(exceptions, max_size=3),
    ),
)


def matrix() -> Iterator[dict[str, Any]]:
    """Every tenant, route and model, with every feature that the route's requests have."""
    plain = {"streaming": False, "tools": False, "choices": 1, "max_tokens": None, "batch": 1}
    for tenant, route, model in product(TENANTS, ROUTES, MODELS):
        asked = {"tenant": tenant, "route": route, "model": model, **plain}
        if route == CHAT:
            booleans = (False, True)
            for more in product(booleans, booleans, (1, 3), (None, 1, 3)):
                names = ("streaming", "tools", "choices", "max_tokens")
                yield asked | dict(zip(names, more, strict=True))
        else:
            yield from ({**asked, "batch": batch} for batch in range(1, 5))


MATRIX = tuple(matrix())
IDLE = ("fits no route", "has no route", "has no model", "never reached", "no request of these")
"""What is said of a line that could make no difference, which is none of the oracle's business."""


def compiled(of: dict[str, Any]) -> PolicyTable | None:
    file = {
        "version": 1,
        "listen": "unix:///s.sock",
        "health": "127.0.0.1:9101",
        "keys": {"hmac": "env:HMAC"},
        "credentials": {"keys": {"kind": "api_key", "strength": 2}},
        "routes": [
            {"method": name.split()[0], "path": name.split()[1], **more}
            for name, more in ROUTES.items()
        ],
        "fidelities": FIDELITIES,
        "policies": of,
        "tenants": {
            tenant: {"policy": tenant, "principals": [principal(tenant)]} for tenant in TENANTS
        },
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(json.dumps(file, indent=1))
        try:
            return compile_table(load(path), {"HMAC": SECRET})
        except ConfigError as error:
            assert any(each in str(error) for each in IDLE), error  # noqa: PT017 - or it is a bug
            return None


def principal(tenant: str) -> str:
    return f"key:{hmac.digest(SECRET.encode(), tenant.encode(), 'sha256').hex()}"


# What is asked, and what is answered to it.


def body(ask: dict[str, Any]) -> bytes:
    match ask["route"]:
        case "POST /v1/chat/completions":
            said = {
                "model": ask["model"],
                "messages": [],
                "stream": ask["streaming"],
                "n": ask["choices"],
                "max_tokens": ask["max_tokens"],
                "tools": [{"type": "function"}] if ask["tools"] else [],
            }
        case "POST /v1/embeddings":
            said = {"model": ask["model"], "input": ["x"] * ask["batch"]}
        case "POST /v2/models/{model}/infer":
            size = ask["batch"]
            tensor = {"name": "x", "datatype": "FP32", "shape": [size, 1], "data": [0.5] * size}
            said = {"inputs": [tensor]}
        case _:
            return b""
    return json.dumps(said).encode()


Answer = tuple[Any, ...]


def answered(table: PolicyTable, ask: dict[str, Any]) -> Answer:
    method, path = ask["route"].replace("{model}", ask["model"]).split()
    headers = {"authorization": f"Bearer {ask['tenant']}"}
    if method == "POST":
        headers["content-type"] = "application/json"
    decision = admit(CheckedRequest(method, path, headers), table, 0.0)
    if isinstance(decision, Denied):
        return decision.refusal.status, decision.refusal.message
    assert isinstance(decision, Admitted)
    try:
        policy, asked = read(decision.policy, body(ask), decision.parameters)
    except ClientError as error:
        return error.refusal.status, error.refusal.message
    sent = json.loads(asked.body or b"{}").get("max_tokens")
    return 200, policy.fidelity.name, frozenset(policy.edits), sent


# What the file says.


def expected(policy: dict[str, Any], ask: dict[str, Any]) -> Answer:
    route, model = ask["route"], ask["model"]
    unknown_model = 404, "The model does not exist."
    lines = [each for each in policy.get("exceptions", []) if fits(route, each.get("routes"))]
    whole = next((n for n, each in enumerate(lines) if not each.get("models")), len(lines))
    denied = whole < len(lines) and lines[whole].get("deny", False)
    high = ROUTES[route].get("risk") == "high" and not fits(route, policy.get("high_risk", []))
    if high or denied or not fits(route, policy.get("routes")):
        return 404, "Unknown path."
    if route == READY:
        line: dict[str, Any] = lines[whole] if whole < len(lines) else {}
        return 200, *fidelity(policy, line), None
    if not any(fnmatchcase(model, each) for each in policy["models"]):
        return unknown_model
    line = next((each for each in lines if fits(model, each.get("models") or None)), {})
    if line.get("deny"):
        return unknown_model
    allow = {**policy.get("allow", {}), **line.get("allow", {})}
    if refused := beyond(route, ask, allow):
        return 403, f"The feature {refused!r} is not available."
    asked = ask["max_tokens"] if ask["max_tokens"] is not None else allow.get("max_tokens")
    return 200, *fidelity(policy, line), asked if route == CHAT else None


def fits(name: str, patterns: list[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(name, each) for each in patterns)


def fidelity(policy: dict[str, Any], line: dict[str, Any]) -> tuple[str, frozenset[str]]:
    name = line.get("fidelity", policy["fidelity"])
    return name, frozenset(FIDELITIES[name])


def beyond(route: str, ask: dict[str, Any], allow: dict[str, Any]) -> str | None:
    """The first feature that is asked beyond what is allowed, in the order of the body."""
    if route == CHAT:
        for name in ("choices", "max_tokens"):
            if ask[name] is not None and ask[name] > allow.get(name, 99):
                return name
        if ask["tools"] and not allow.get("tools", True):
            return "tools"
        return "streaming" if ask["streaming"] and not allow.get("streaming", True) else None
    return "batch" if ask["batch"] > allow.get("batch", 99) else None


@settings(max_examples=100)
@given(st.fixed_dictionaries(dict.fromkeys(TENANTS, policies)))
def test_what_is_admitted_is_what_the_file_says(of: dict[str, Any]) -> None:
    table = compiled(of)
    assume(table is not None)
    assert table is not None
    for ask in MATRIX:
        assert answered(table, ask) == expected(of[ask["tenant"]], ask), ask


@given(st.fixed_dictionaries(dict.fromkeys(TENANTS, policies)))
def test_a_forbidden_model_is_answered_like_one_that_there_never_was(of: dict[str, Any]) -> None:
    table = compiled(of)
    assume(table is not None)
    assert table is not None
    for ask in MATRIX:
        known = of[ask["tenant"]]["models"]
        if not fits(ask["model"], known) and not fits("nobody", known):
            assert answered(table, ask) == answered(table, {**ask, "model": "nobody"})
