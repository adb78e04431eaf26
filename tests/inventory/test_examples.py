"""The reports that are shown are those that the command would print."""

import re
from pathlib import Path

import pytest

from docs import inventory

DOCS = Path(__file__).parents[2] / "docs"
VERSION = re.compile(r"(?<=version )\S+")
"""Changes with any setting there is, and says nothing here."""


@pytest.mark.parametrize("name", ["inventory.html", "inventory.md"])
def test_a_report_is_current(name: str) -> None:
    shown = (DOCS / "examples" / name).read_text(encoding="utf-8")
    printed = inventory.written()[name]
    assert VERSION.sub("", shown) == VERSION.sub("", printed), "write it anew: make docs"


def test_the_example_has_something_of_every_rating() -> None:
    html = inventory.written()["inventory.html"]
    for rating in ("low", "moderate", "high", "critical"):
        assert f'class="badge {rating}"' in html
