import io

from rich.console import Console

from extproc.demo.cases import CASES
from extproc.demo.dialogue import Observed
from extproc.demo.report import NOT_SHOWN, report
from extproc.demo.table import WIDTH, show
from extproc.demo.verdict import Verdict
from tests.demo import fabricated

HELD = Verdict("nothing passes", held=True)
BROKEN = Verdict("no number passes", held=False, findings=("infer, coarse: 3 of 4 passed",))


def _shown(seen: Observed, *verdicts: Verdict) -> list[str]:
    out = io.StringIO()
    show(report(seen, verdicts), Console(file=out, width=WIDTH, highlight=False))
    return out.getvalue().splitlines()


def test_the_answers_stand_side_by_side() -> None:
    lines = _shown(fabricated.observed(), HELD)
    (header, probabilities) = (lines[2].split(), lines[4].split())
    assert header == ["without", "extproc", *("full", "standard", "coarse")]
    assert " ".join(probabilities) == (
        "probabilities 0.7279… 0.2063… 0.0645… +1 same 0.73 0.21 0.06 1"
    )
    assert [line.split(":")[0] for line in lines if "POST" in line] == [c.name for c in CASES]


def test_what_was_no_answer_is_shown_as_none() -> None:
    refused = fabricated.error(503, "unavailable")
    seen = fabricated.exchanged(fabricated.observed(), CASES[0], "coarse", refused)
    assert _shown(seen, HELD)[4].endswith("no answer: 503")


def test_what_did_not_hold_is_named_with_what_was_found() -> None:
    lines = _shown(fabricated.observed(), HELD, BROKEN)
    at = lines.index("FAILED  no number passes")
    assert lines[at - 1 : at + 2] == [
        "ok      nothing passes",
        "FAILED  no number passes",
        "          infer, coarse: 3 of 4 passed",
    ]
    assert lines[-1] == "1 of 2 protections FAILED."


def test_it_ends_with_what_was_not_shown() -> None:
    lines = _shown(fabricated.observed(), HELD)
    assert lines[-1] == "All 1 protections held."
    at = lines.index("Not shown:")
    assert lines[at + 1 : at + 1 + len(NOT_SHOWN)] == [f"  - {each}" for each in NOT_SHOWN]


def test_no_line_ends_in_blanks_or_is_too_wide() -> None:
    for line in _shown(fabricated.observed(), HELD, BROKEN):
        assert line == line.rstrip()
        assert len(line) <= WIDTH
