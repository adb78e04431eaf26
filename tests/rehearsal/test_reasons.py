"""For every way to be refused: the step, and the line that would have to say something else."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.config import Config, load
from extproc.config.document import Place
from extproc.credentials import Needed
from extproc.events import CheckedRequest
from extproc.rehearsal.play import Played, play
from extproc.rehearsal.reasons import Reason, Reasons
from extproc.rehearsal.request import Caller
from tests.rehearsal.example import CHAT, EMBEDDINGS, FILE, INFER, chat, example, played, table

CONFIG = load(FILE)
PARTNER: Place = ("policies", "partner")
POLICY = "  partner:\n"


def reason(config: Config, *arguments: Any, **more: Any) -> Reason | None:
    return Reasons(config, table(config)).of(played(config, *arguments, **more))


def tensor(shape: list[int], data: list[float], name: str = "pixels") -> bytes:
    one = {"name": name, "datatype": "FP32", "shape": shape, "data": data}
    return orjson.dumps({"inputs": [one]})


def test_what_is_allowed_has_no_reason() -> None:
    assert reason(CONFIG, CHAT, chat()) is None
    assert reason(CONFIG, CHAT) is None


@pytest.mark.parametrize(
    ("line", "tenant", "step", "place"),
    [
        ("POST /nowhere", "acme", "route", ("routes",)),
        (EMBEDDINGS, "newcomer", "route", ("policies", "trial", "routes")),
        (f"{CHAT}?stream=1", "acme", "route", ("routes", 0, "dialect")),
        ("GET /v1/chat/completions", "acme", "route", ("routes", 0, "method")),
    ],
)
def test_a_route_that_is_not_there_is_told_from_one_that_is_hidden(
    line: str, tenant: str, step: str, place: Place
) -> None:
    found = reason(CONFIG, line, None, Caller(tenant))
    assert found is not None
    assert (found.step, found.place) == (step, place)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('    high_risk: ["POST /v1/embeddings"]\n', "", (*PARTNER, "high_risk")),
        (", models: [text-secret], deny", ", deny", (*PARTNER, "exceptions", 2, "deny")),
    ],
)
def test_a_route_that_a_policy_hides_is_told_by_what_hides_it(
    tmp_path: Path, old: str, new: str, place: Place
) -> None:
    changes = [(old, new)]
    if "high_risk" in old:
        changes.append(
            ('      - {routes: ["POST /v1/embeddings"], models: [text-secret], deny: true}\n', "")
        )
    found = reason(example(tmp_path, *changes), EMBEDDINGS)
    assert found is not None
    assert (found.step, found.place) == ("route", place)


def test_of_two_routes_of_a_path_the_one_of_the_method_is_told(tmp_path: Path) -> None:
    routes = "routes:\n  - {path: /v1/embeddings, method: GET, dialect: status}\n"
    config = example(tmp_path, ("routes:\n", routes), ('["POST /v1/chat/*"]', '["POST /v1/c*"]'))
    found = reason(config, EMBEDDINGS, None, Caller("newcomer"))
    assert found is not None
    assert found.why == "the routes of the policy do not name POST /v1/embeddings"


def test_a_stranger_is_told_by_what_the_route_asks_for(tmp_path: Path) -> None:
    nobody = Caller("acme", ("other",))
    config = example(
        tmp_path,
        ("{keys: {", "{other: {kind: api_key}, keys: {"),
        ("dialect: openai_chat\n", "dialect: openai_chat\n    credentials: {any_of: [keys]}\n"),
    )
    found = reason(config, CHAT, None, nobody)
    assert found is not None
    assert (found.step, found.place) == ("credentials", ("routes", 0, "credentials"))

    plain = table(CONFIG)
    stranger = CheckedRequest("POST", "/nowhere", {})
    found = Reasons(CONFIG, plain).of(play(plain, stranger, b"", 0.0))
    assert found is not None
    assert found.place == ("credentials",)


def test_what_an_issuer_must_say_is_told() -> None:
    request = CheckedRequest("POST", "/", {})
    needed = Played(request, b"", Needed("keys", "s3cret"))
    found = Reasons(CONFIG, table(CONFIG)).of(needed)
    assert found is not None
    assert found.place == ("credentials", "keys")
    assert "s3cret" not in found.why


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("risk: high", "risk: high", ("routes", 1, "risk")),
        (
            "risk: high",
            "risk: high, credentials: {strength: 2}",
            ("routes", 1, "credentials", "strength"),
        ),
    ],
)
def test_a_weak_credential_is_told_by_what_asks_for_a_strong_one(
    tmp_path: Path, old: str, new: str, place: Place
) -> None:
    found = reason(example(tmp_path, (old, new)), EMBEDDINGS, None, Caller("acme", (), 1))
    assert found is not None
    assert (found.step, found.place) == ("credentials", place)


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({"content_type": "text/plain"}, ("routes", 0, "dialect")),
        ({"content_encoding": "gzip"}, ("routes", 0, "dialect")),
        ({"x_more": "a" * 9000}, ("routes", 0, "input", "headers")),
    ],
)
def test_header_fields_are_told(headers: dict[str, str], place: Place) -> None:
    found = reason(CONFIG, CHAT, chat(), **headers)
    assert found is not None
    assert (found.step, found.place) == ("headers", place)


@pytest.mark.parametrize(
    ("line", "body", "place"),
    [
        (CHAT, chat("other"), (*PARTNER, "models")),
        ("POST /v2/models/other/infer", None, (*PARTNER, "models")),
        (
            EMBEDDINGS,
            b'{"model":"text-secret","input":"a"}',
            (*PARTNER, "exceptions", 2, "deny"),
        ),
    ],
)
def test_a_model_that_is_unknown_is_told_from_one_that_is_denied(
    line: str, body: bytes | None, place: Place
) -> None:
    found = reason(CONFIG, line, body)
    assert found is not None
    assert (found.step, found.place) == ("model", place)
    if line == EMBEDDINGS:
        assert reason(CONFIG, line, None, model="text-secret") == found


@pytest.mark.parametrize(
    ("line", "body", "place"),
    [
        (CHAT, chat(tools=[{"type": "function"}]), (*PARTNER, "allow", "tools")),
        (CHAT, chat("text-tools", n=2), (*PARTNER, "allow", "choices")),
        (INFER, tensor([9, 64], [0.0] * 576), (*PARTNER, "exceptions", 1, "allow", "batch")),
    ],
)
def test_a_feature_is_told_where_it_is_bounded(line: str, body: bytes, place: Place) -> None:
    found = reason(CONFIG, line, body)
    assert found is not None
    assert (found.step, found.place) == ("features", place)


@pytest.mark.parametrize(
    ("line", "body", "rule"),
    [
        (CHAT, chat(messages=[{"role": "user", "content": "a" * 4001}]), "fields messages.content"),
        (CHAT, chat(temperature=2), "fields temperature"),
        (CHAT, chat(messages=[{"role": "root"}]), "schema"),
        (CHAT, chat(messages=[[[[[[[[[1]]]]]]]]]), "depth"),
        (CHAT, chat(messages=[{"role": "user"}] * 201), "array"),
        (CHAT, chat("a" * 90_000), "body"),
        (INFER, tensor([1, 2], [0, 0]), "tensors pixels"),
        (INFER, tensor([1, 64], [0.0] * 64, "other"), "tensors"),
    ],
)
def test_a_rule_about_input_is_told_by_its_line(line: str, body: bytes, rule: str) -> None:
    found = reason(CONFIG, line, body)
    assert found is not None
    index = 0 if line == CHAT else 2
    assert found.place == ("routes", index, "input", *rule.split())
    assert found.step == ("body" if rule == "body" else "input")


def test_a_body_that_no_rule_refuses_is_refused_by_the_dialect() -> None:
    for body in (b"{", chat(no_such_field=1)):
        found = reason(CONFIG, CHAT, body)
        assert found is not None
        assert (found.step, found.place) == ("dialect", ("routes", 0, "dialect"))


def test_the_cap_of_all_bodies_is_told_where_it_is_less(tmp_path: Path) -> None:
    config = example(tmp_path, ("routes:\n", "caps: {request: 1KiB}\nroutes:\n"))
    found = reason(config, EMBEDDINGS, orjson.dumps({"model": "text-a", "input": "a" * 2000}))
    assert found is not None
    assert found.place == ("caps", "request")


def test_what_cannot_be_compared_is_told_by_its_tier(tmp_path: Path) -> None:
    compared = "embedding: [{kind: quantize, bits: 8}, {kind: similarity, digits: 2}]"
    config = example(
        tmp_path, ("embedding: [{kind: quantize, bits: 8}]", compared), (", batch: 16", "")
    )
    body = orjson.dumps({"model": "text-a", "input": ["a"] * 5000})
    found = reason(config, EMBEDDINGS, body)
    assert found is not None
    assert (found.step, found.place) == ("fidelity", ("fidelities", "standard", "embedding"))


def test_in_the_shadow_what_would_be_refused_is_told(tmp_path: Path) -> None:
    config = example(tmp_path, (POLICY, f"{POLICY}    mode: shadow\n"))
    found = reason(config, CHAT, chat("other"))
    assert found is not None
    assert found.place == (*PARTNER, "models")


def test_what_applies_is_told_by_its_exception() -> None:
    reasons = Reasons(CONFIG, table(CONFIG))
    policy = table(CONFIG).policies["acme", CHAT]
    assert reasons.source(policy, policy) == PARTNER
    other = policy.of("text-tools")
    assert other is not None
    assert reasons.source(policy, other) == (*PARTNER, "exceptions", 0)
