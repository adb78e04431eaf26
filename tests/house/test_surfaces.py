"""The page of all APIs says what the table says; tests/corpus/test_surfaces.py tries the table."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.corpus.surfaces import surfaces

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "surfaces.md").read_text(encoding="utf-8")
APIS = list(dict.fromkeys(surface.api for surface in surfaces()))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("surfaces_page", ROOT / "docs" / "surfaces.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_table_says() -> None:
    assert generator().filled(PAGE) == PAGE, "run: make docs"


def test_a_page_that_is_not_current_would_be_found() -> None:
    stale = PAGE.replace("`echo: true` | refused", "`echo: true` | goes on", 1)
    assert stale != PAGE
    assert generator().filled(stale) == PAGE


@pytest.mark.parametrize("api", APIS)
def test_every_api_has_its_section(api: str) -> None:
    assert PAGE.count(f"\n## {api}\n") == 1


@pytest.mark.parametrize("document", ["README.md", "docs/dialects.md"])
def test_the_page_is_linked_to(document: str) -> None:
    assert "surfaces.md)" in (ROOT / document).read_text(encoding="utf-8")
