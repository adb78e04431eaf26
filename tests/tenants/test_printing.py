import io
from datetime import UTC, datetime, timedelta, timezone

from rich.console import Console

from extproc.tenants.printing import columns, moment, wide


def test_moments_are_told_in_utc() -> None:
    at = datetime(2026, 11, 25, 1, 30, tzinfo=timezone(timedelta(hours=5)))
    assert moment(at) == "2026-11-24 20:30Z"
    assert moment(at.astimezone(UTC)) == moment(at)
    assert moment(None) == ""


def test_numbers_stand_at_the_right_and_nothing_is_cut() -> None:
    printed = io.StringIO()
    table = columns("name", "max", numbers={"max"})
    table.add_row("n" * 200, "7")
    table.add_row("a", "1000")
    wide(Console(file=printed)).print(table)
    _, first, second = printed.getvalue().splitlines()
    assert first == "n" * 200 + "     7"
    assert second == "a" + " " * 201 + "1000"
