"""Pages about deployment say how each of their steps was verified, by tests that there are."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted((ROOT / "docs" / "deploy").glob("*.md"))
HEADING: Final = "## What was verified, and how"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_it_last_and_names_tests_that_there_are(page: Path) -> None:
    before, heading, table = page.read_text(encoding="utf-8").partition(HEADING)
    assert before
    assert heading, "nothing is said of it"
    assert "\n## " not in table, "it is not the last"
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", table)
    for name in named:
        path = ROOT / (name if "/" in name else f"tests/k8s/{name}")
        assert path.is_file(), name
    assert named or page.name in {"README.md", "image.md"}
