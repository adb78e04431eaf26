"""The page of refusals says what the code does, and every cause stands in one class."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

from extproc import refusal
from extproc.cause import Cause
from extproc.refusal import Refusal

ROOT = Path(__file__).parents[2]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refusals_page", ROOT / "docs" / "refusals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    assert script().filled(page) == page, "write it anew: python docs/refusals.py"


def test_every_class_and_every_cause_stands_on_it_once() -> None:
    classes = script().CLASSES
    counted = Counter(cause for _, _, causes in classes for cause in causes)
    assert counted == dict.fromkeys(Cause, 1)
    known = {each for each in vars(refusal).values() if isinstance(each, Refusal)}
    assert {each.code for each in known} <= {row[0].code for row in classes}
