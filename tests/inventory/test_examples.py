"""The reports that are shown are those that the command would print."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
VERSION = re.compile(r"(?<=version )\S+")
"""Changes with any setting there is, and says nothing here."""


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("inventory_page", DOCS / "inventory.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["inventory.html", "inventory.md"])
def test_a_report_is_current(name: str) -> None:
    shown = (DOCS / "examples" / name).read_text(encoding="utf-8")
    printed = generator().written()[name]
    assert VERSION.sub("", shown) == VERSION.sub("", printed), "write it anew: make docs"


def test_the_example_has_something_of_every_rating() -> None:
    html = generator().written()["inventory.html"]
    for rating in ("low", "moderate", "high", "critical"):
        assert f'class="badge {rating}"' in html
