"""A report as tables for people: per request one table, per tier one column."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.demo.preview import REFUSED
from extproc.demo.report import Report, Row

WIDTH: Final = 110
"""Of what is written to a file or a pipe, in columns."""

_SAME: Final = "same"


def show(told: Report, console: Console) -> None:
    """Write the whole report, its lines without blanks at their end."""
    with console.capture() as captured:
        _show(told, console)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def _show(told: Report, console: Console) -> None:
    for _, rows in groupby(told.rows, key=lambda row: row.case):
        _show_case(list(rows), console)
    console.print(f"added ms: with extproc less without, the median of {told.repeats} times\n")
    for line in _protections(told):
        console.print(line)
    console.print("\nNot shown:")
    for each in told.not_shown:
        console.print(Text(f"  - {each}"))
    console.print()
    console.print(_summary(told))


def _show_case(rows: Sequence[Row], console: Console) -> None:
    first = rows[0]
    console.print(Text.assemble((first.case, "bold"), f": {first.request}, {first.asks}"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("", "without extproc", *(row.tier for row in rows)):
        table.add_column(name, overflow="fold")
    for cells in _lines(rows):
        table.add_row(*map(Text, cells))
    console.print(table)


def _lines(rows: Sequence[Row]) -> Iterator[Sequence[str]]:
    first = rows[0]
    for aspect, said in first.without_extproc.items():
        yield aspect, said, *(_cell(row, aspect, said) for row in rows)
    yield "bytes", str(first.bytes_without), *(str(row.bytes_with) for row in rows)
    yield "added ms", "", *(f"{row.added_ms:.1f}" for row in rows)


def _cell(row: Row, aspect: str, said: str) -> str:
    got = row.with_extproc.get(aspect) or f"{REFUSED}: {row.with_extproc[REFUSED]}"
    return _SAME if got == said else got


def _protections(told: Report) -> Iterable[Text]:
    for verdict in told.protections:
        word, style = ("ok    ", "green") if verdict.held else ("FAILED", "bold red")
        yield Text.assemble((word, style), f"  {verdict.protection}")
        for finding in verdict.findings:
            yield Text(f"          {finding}")


def _summary(told: Report) -> Text:
    count = len(told.protections)
    if told.held:
        return Text(f"All {count} protections held.", style="bold green")
    failed = len(told.failed)
    return Text(f"{failed} of {count} protections FAILED.", style="bold red")
