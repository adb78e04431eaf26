"""The page of all APIs says what the table says; tests/corpus/test_surfaces.py tries the table."""

from pathlib import Path

import pytest

from docs import surfaces as script
from tests.corpus.surfaces import surfaces

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "surfaces.md").read_text(encoding="utf-8")
APIS = list(dict.fromkeys(surface.api for surface in surfaces()))


def test_the_page_is_what_the_table_says() -> None:
    assert script.filled(PAGE) == PAGE, "run: make docs"


def test_a_page_that_is_not_current_would_be_found() -> None:
    stale = PAGE.replace("`echo: true` | refused", "`echo: true` | goes on", 1)
    assert stale != PAGE
    assert script.filled(stale) == PAGE


@pytest.mark.parametrize("api", APIS)
def test_every_api_has_its_section(api: str) -> None:
    assert PAGE.count(f"\n## {api}\n") == 1


@pytest.mark.parametrize("document", ["README.md", "docs/dialects.md"])
def test_the_page_is_linked_to(document: str) -> None:
    assert "surfaces.md)" in (ROOT / document).read_text(encoding="utf-8")
