"""The page of refusals says what the code does, and every cause stands in one class."""

from collections import Counter
from pathlib import Path

from docs import refusals
from extproc import refusal
from extproc.cause import Cause
from extproc.refusal import Refusal

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    assert refusals.filled(page) == page, "write it anew: python -m docs.refusals"


def test_every_class_and_every_cause_stands_on_it_once() -> None:
    classes = refusals.CLASSES
    counted = Counter(cause for _, _, causes in classes for cause in causes)
    assert counted == dict.fromkeys(Cause, 1)
    known = {each for each in vars(refusal).values() if isinstance(each, Refusal)}
    assert {each.code for each in known} <= {row[0].code for row in classes}
