from pathlib import Path

import orjson

from extproc.config import load
from extproc.rehearsal import verdicts
from extproc.rehearsal.trial import Trial, Verdict
from tests.rehearsal.example import CHAT, EMBEDDINGS, FILE, table

CONFIG = load(FILE)
INFER = "POST /v2/models/{model}/infer"
HELD = Verdict("a", Path("t.yaml"), 2, (), ("partner", CHAT))
FAILED = Verdict("b", Path("t.yaml"), 9, ("status: expected 200, is 404",), ("partner", INFER))


def trial(*found: Verdict) -> Trial:
    return Trial(CONFIG, table(CONFIG), list(found))


def test_a_report_names_what_fails_and_what_was_not_tried() -> None:
    report = verdicts.Report((trial(HELD), trial(FAILED)), coverage=True)
    assert report.failed == 1
    assert verdicts.text(report).splitlines() == [
        "ok    a",
        "FAIL  b  t.yaml:9",
        "      status: expected 200, is 404",
        f"not tried  partner: {EMBEDDINGS}  {FILE}",
        f"not tried  trial: {CHAT}  {FILE}",
        "1 passed, 1 failed",
    ]


def test_the_same_is_told_as_json() -> None:
    told = orjson.loads(verdicts.to_json(verdicts.Report((trial(HELD, FAILED),), coverage=True)))
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["cases"][1] == {
        "name": "b",
        "file": "t.yaml",
        "line": 9,
        "passed": False,
        "wrong": ["status: expected 200, is 404"],
    }
    assert told["not_tried"][0] == {"file": str(FILE), "policy": "partner", "route": EMBEDDINGS}
    assert "not_tried" not in orjson.loads(verdicts.to_json(verdicts.Report((trial(HELD),))))
