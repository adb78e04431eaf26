from pathlib import Path

import orjson

from extproc.config import load
from extproc.rehearsal import rendering
from extproc.rehearsal.request import Caller
from tests.rehearsal.example import CHAT, FILE, chat, explained

CONFIG = load(FILE)


def test_a_refusal_opens_with_its_step_its_reason_and_its_line() -> None:
    lines = rendering.text(explained(CONFIG, CHAT, chat("other"))).splitlines()
    assert lines[:4] == [
        "refused: 404 model_not_found",
        "step:   model",
        "why:    the models of the policy do not name it",
        f"change: policies.partner.models, {FILE}:39",
    ]
    assert lines[4].startswith('client: 404 {"error":{"message":"The model does not exist."')


def test_what_is_not_there_is_told_where_it_would_be() -> None:
    found = explained(CONFIG, CHAT, None, Caller("acme", (), 0))
    assert found.change is None
    lines = rendering.text(explained(CONFIG, "GET /v1/embeddings", b"")).splitlines()
    assert lines[3] == f"change: routes[1].method, add it in {FILE}:20"


def test_every_value_is_a_line_with_its_place() -> None:
    lines = rendering.text(explained(CONFIG, CHAT, chat())).splitlines()
    assert lines[0] == "allowed: 200 allowed"
    (risk,) = [line for line in lines if line.startswith("risk")]
    assert risk.split() == ["risk", "normal", "built", "in"]
    (model,) = [line for line in lines if line.startswith("model ")]
    assert model.split() == ["model", "text-a"]
    assert len({len(line.split("  ")[0]) for line in lines[2:]}) > 1


def test_a_prompt_is_not_printed() -> None:
    found = explained(CONFIG, CHAT, chat(user="s3cret"))
    for told in (rendering.text(found), rendering.to_json(rendering.data(found))):
        assert "s3cret" not in told
        assert "hi" not in told.split()


def test_the_same_is_told_as_json() -> None:
    told = orjson.loads(rendering.to_json(rendering.data(explained(CONFIG, CHAT, chat("other")))))
    assert (told["decision"], told["status"], told["code"]) == ("refused", 404, "model_not_found")
    assert told["change"] == {
        "path": "policies.partner.models",
        "file": str(FILE),
        "line": 39,
        "layer": "policy",
        "written": True,
    }
    assert told["client"]["status"] == 404
    allowed = rendering.data(explained(CONFIG, CHAT, chat()))
    rows = {row["name"]: row for row in allowed["policy"]}
    assert "client" not in allowed
    assert rows["risk"] == {
        "name": "risk",
        "value": "normal",
        "path": "routes[0].risk",
        "layer": "built in",
    }
    assert rows["model"] == {"name": "model", "value": "text-a"}
    assert Path(rows["route"]["file"]) == FILE
