from pathlib import Path

import orjson
import pytest

from tests.bench import report
from tests.bench.figures import Figure, Spread, Table

TABLES = [
    Table(
        "Costs",
        "nothing at all",
        (
            Figure("work", "us", Spread(1234.5, 0.123, 45.67), Spread(2.0, 2.0, 2.0), goal=450),
            Figure("rest", "MB/s", Spread(1.0, 1.0, 1.0)),
        ),
    )
]
FACTS = {"cpu": "a fast one", "load_before": [0.1]}


def test_columns_line_up() -> None:
    title, without, header, first, second, *_ = report.text(TABLES, FACTS).splitlines()

    assert (title, without) == ("Costs", "(without: nothing at all)")
    assert "at most 450 us  NO" in first
    assert header.index("with  ") == second.index("1 MB/s")


def test_numbers_have_three_digits_that_mean_something() -> None:
    assert "1,234 us (0.12 to 45.7)" in report.text(TABLES, FACTS)


def test_tables_stand_between_the_markers_of_a_page_and_nothing_else_moves(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")

    report.paste(report.markdown(TABLES, FACTS), page)
    report.paste(report.markdown(TABLES, FACTS), page)

    text = page.read_text()
    assert text.startswith("before\n<!-- bench -->\n")
    assert text.endswith("\n<!-- /bench -->\nafter\n")
    assert text.count("### Costs") == 1
    assert "old" not in text


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place")

    with pytest.raises(ValueError, match="has no <!-- bench -->"):
        report.paste("tables", page)


def test_the_json_holds_every_figure_and_the_machine() -> None:
    found = orjson.loads(report.to_json(TABLES, FACTS))

    assert found["machine"] == FACTS
    assert [each["what"] for each in found["figures"]] == ["work", "rest"]
    assert found["figures"][0]["with"] == {"median": 1234.5, "low": 0.123, "high": 45.67}
    assert found["figures"][0]["met"] is False
