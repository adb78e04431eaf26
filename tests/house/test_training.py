"""docs/dp-training.md: its table is what was measured, of the victims and policies there are."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dp-training.md").read_text(encoding="utf-8")
REPORT = ROOT / "docs" / "redteam" / "training" / "report.json"


def _script() -> ModuleType:
    spec = spec_from_file_location("training", ROOT / "docs" / "training.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_guide_says_what_was_measured() -> None:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    assert _script().filled_page(PAGE, report) == PAGE, "write it anew: python docs/training.py"
    assert report["run"]["command"] in PAGE


def test_no_promise_was_broken_and_plain_training_would_have_broken_one_of_two() -> None:
    promises = json.loads(REPORT.read_text(encoding="utf-8"))["training_privacy"]
    assert not any(each["broken"] for each in promises)
    plain = [each["proven"] for each in promises if each["victim"] == "digits-plain"]
    assert max(plain) > 2
