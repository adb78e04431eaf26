"""Reports and commitments in a terminal."""

import json
from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.ownership import wording
from extproc.ownership.held import Held
from extproc.ownership.report import Report

_WIDTH = 200
"""Of what is not printed on a terminal."""


def show(report: Report, console: Console | None = None) -> None:
    console = console or _console()
    rows = (
        (
            each.name,
            each.verdict,
            wording.agreeing(each.marks),
            wording.agreeing(each.controls),
            wording.effect(each),
            wording.chance(each.corrected),
        )
        for each in report.judged
    )
    names = ("answered to", "verdict", "marks", "controls", "difference (95 %)", "by chance")
    console.print(_table(names, rows))
    console.print(Text(wording.verdict(report)))
    if silence := wording.silence(report):
        console.print(Text(silence))


def show_held(held: Sequence[Held], console: Console | None = None) -> None:
    console = console or _console()
    rows = (
        (
            each.name,
            ", ".join(each.tenants),
            str(each.marks),
            str(each.controls),
            f"{each.first:%Y-%m-%d}",
            f"{each.last:%Y-%m-%d}",
            "yes" if each.enough else f"no, of {each.needed} marks",
        )
        for each in held
    )
    names = ("answered to", "who asked", "marks", "controls", "first", "last", "enough")
    console.print(_table(names, rows))


def held_as_json(held: Sequence[Held]) -> str:
    return json.dumps(msgspec.to_builtins(held), indent=2)


def _console() -> Console:
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
