"""The page of privacy holds the tables that the code makes."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("private_tables", ROOT / "docs" / "private.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("table", ["truth", "votes", "vectors", "accounts", "ledger"])
def test_the_page_says_what_the_code_says(table: str) -> None:
    said = "\n".join(getattr(generator(), table)())
    assert f"docs/private.py {table} -->\n\n```text\n{said}\n```\n" in PAGE, "run: make docs"
