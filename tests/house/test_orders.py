"""docs/mutators.md says which mutator may stand before which, as the loader has it."""

from pathlib import Path

from docs import orders

ROOT = Path(__file__).parents[2]


def test_the_tables_are_current() -> None:
    page = (ROOT / "docs" / "mutators.md").read_text(encoding="utf-8")
    assert orders.filled(page) == page, "write it anew: python -m docs.orders"
