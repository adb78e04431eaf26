"""What is said of texts is no more than was found."""

import re

from msgspec.structs import replace

from extproc.marks.marking import Finding
from extproc.ownership import text_wording
from tests.ownership.making import Made
from tests.ownership.test_text_report import report
from tests.ownership.writing import canary, keep, listed, written

FIELDS = {"tenant": "acme", "cohort": "", "model": "chat", "route": "POST /chat"}


def test_each_verdict_is_a_sentence(made: Made) -> None:
    texts = written(listed(made))
    said = text_wording.verdict(report(made, texts))
    assert said.startswith("They carry the green list of tenant acme, model chat. By chance")
    assert text_wording.verdict(report(made, texts, texts)).startswith("No verdict: clean texts")
    nothing = report(made, [])
    assert text_wording.verdict(nothing).startswith("No evidence in these texts")
    assert not text_wording.silence(nothing)


def test_of_several_marks_the_least_certain_is_what_is_said_of_all(made: Made) -> None:
    """Planted: naming two, and the chance of the one that is less likely by chance."""
    found = report(made, written(listed(made)))
    [first] = found.judged
    weaker = replace(first, name="canaries of tenant acme, model b", corrected=-25.0)
    both = replace(found, judged=[replace(first, corrected=-90.0), weaker])
    assert "; canaries of tenant acme, model b. By chance" in text_wording.verdict(both)
    assert "2^-25.0" in text_wording.verdict(both)


def test_a_model_that_a_caller_named_does_nothing_in_a_terminal(made: Made) -> None:
    """Planted: the name as it is turns the terminal's page."""
    found = report(made, written(listed(made)))
    named = replace(found, judged=[replace(found.judged[0], name="list of model \x1b[2J")])
    assert "list of model \\x1b[2J. By chance" in text_wording.verdict(named)


def test_each_row_says_what_was_seen_and_what_was_committed_to(made: Made) -> None:
    texts = written(listed(made))
    said = canary(made)
    canary(made, 1)
    keep(made, Finding("green_list", "a", b"{}", "", ""), vault=False, **FIELDS)
    found = report(made, [*texts, said])
    shown = [text_wording.shown(each) for each in found.judged]
    assert re.fullmatch(r"\d\d\.\d% of 600 words green, \d\d\.\d% usual", shown[0])
    assert shown[1:] == ["1 of 2 references", "missing"]
    assert text_wording.committed(found.judged[0]).startswith("2026-03-01, line 3, ")
    assert text_wording.silence(found).startswith("1 entries are committed to and not in the vault")
