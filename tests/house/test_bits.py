"""The page of budgets in bits holds the tables that the code makes."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bits.md").read_text(encoding="utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bits_tables", ROOT / "docs" / "bits.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("table", ["predictions", "dialects"])
def test_the_page_says_what_the_code_says(table: str) -> None:
    said = "\n".join(getattr(generator(), table)())
    assert f"docs/bits.py {table} -->\n\n```text\n{said}\n```\n" in PAGE, "run: make docs"
