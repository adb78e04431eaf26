import io
import json
from datetime import datetime
from decimal import Decimal

from rich.console import Console

from extproc.auditor.query import FIELDS, Answer
from extproc.auditor.table import show, to_json

TIME = datetime(2026, 1, 31, 12, 0, 0, 5000)  # noqa: DTZ001 - as DuckDB gives it
WHOLE = Answer(FIELDS, [[TIME if name == "time" else f"[b]{name}[/b]" for name in FIELDS]], 2, 7)
SUMS = Answer(["model", "records", "p99_s"], [["m", 3, None], ["", 1, 0.5]], 0, 0)


def shown(answer: Answer, *, terminal: bool = False) -> list[str]:
    out = io.StringIO()
    show(answer, Console(file=out, force_terminal=terminal, width=500, no_color=True))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_of_a_record_what_fits_is_shown_and_nothing_is_taken_for_markup() -> None:
    head, row, note = shown(WHOLE)
    assert head.split()[:3] == ["time", "request", "tenant"]
    assert "fingerprint" not in head
    assert row.startswith("2026-01-31 12:00:00  [b]request[/b]")
    assert note.startswith("the files tell of 2 gaps, 7 records of known number missing")


def test_of_sums_all_is_shown() -> None:
    assert [line.split() for line in shown(SUMS)] == [
        ["model", "records", "p99_s"],
        ["m", "3"],
        ["1", "0.5"],
    ]
    assert len(shown(SUMS, terminal=True)) == 3


def test_a_program_reads_all_fields_and_times_in_utc() -> None:
    said = json.loads(to_json(WHOLE))
    assert said["records"][0]["time"] == "2026-01-31T12:00:00.005000Z"
    assert {*said["records"][0]} == {*FIELDS}
    assert (said["gaps"], said["missing"]) == (2, 7)
    odd = Answer(["a", "b"], [[Decimal("1.5"), None]], 0, 0)
    assert json.loads(to_json(odd))["records"] == [{"a": "1.5", "b": None}]
