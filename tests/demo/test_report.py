import json

from extproc.demo.cases import CASES
from extproc.demo.policy_file import TIERS
from extproc.demo.report import NOT_SHOWN, report, to_json
from extproc.demo.verdict import Verdict
from tests.demo import fabricated

HELD, BROKEN = Verdict("a", held=True), Verdict("b", held=False, findings=("x",))


def test_every_case_has_a_row_at_every_tier() -> None:
    told = report(fabricated.observed(), [HELD])
    assert [(row.case, row.tier) for row in told.rows] == [
        (case.name, tier) for case in CASES for tier in TIERS
    ]


def test_a_row_has_both_answers_and_what_they_weigh() -> None:
    seen = fabricated.observed()
    row = report(seen, []).rows[1]
    assert (row.request, row.tier) == ("POST /v2/models/digits/infer", "standard")
    assert row.without_extproc["probabilities"].startswith("0.7279…")
    assert row.with_extproc["probabilities"] == "0.73 0.21 0.06"
    assert row.bytes_without == len(seen.says(CASES[0]).body)
    assert row.bytes_with == len(seen.gets(CASES[0], "standard").body)


def test_all_held_only_if_each_did() -> None:
    assert report(fabricated.observed(), [HELD]).held
    told = report(fabricated.observed(), [HELD, BROKEN])
    assert not told.held
    assert told.failed == [BROKEN]


def test_the_json_says_all_of_it() -> None:
    said = json.loads(to_json(report(fabricated.observed(), [HELD, BROKEN])))
    assert said["held"] is False
    assert said["protections"][1] == {"protection": "b", "held": False, "findings": ["x"]}
    assert said["not_shown"] == list(NOT_SHOWN)
    assert said["rows"][0].keys() == {
        "case",
        "request",
        "asks",
        "tier",
        "without_extproc",
        "with_extproc",
        "bytes_without",
        "bytes_with",
        "added_ms",
    }
