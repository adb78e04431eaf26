"""The page of budgets in bits holds the tables that the code makes."""

from pathlib import Path

import pytest

from docs import bits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bits.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", ["predictions", "dialects"])
def test_the_page_says_what_the_code_says(table: str) -> None:
    said = "\n".join(getattr(bits, table)())
    assert f"docs/bits.py {table} -->\n\n```text\n{said}\n```\n" in PAGE, "run: make docs"
