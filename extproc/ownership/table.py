"""Reports and commitments in a terminal."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.ownership import text_wording, wording
from extproc.ownership.held import Held
from extproc.ownership.judging import Judged, JudgedEmbeddings
from extproc.ownership.report import Report
from extproc.ownership.text_report import TextReport

_WIDTH = 200
"""Of what is not printed on a terminal."""


def show(report: Report, console: Console | None = None) -> None:
    console = console or _console()
    if report.judged:
        console.print(_table(_LABELS, map(_label, report.judged)))
    if report.embeddings:
        console.print(_table(_EMBEDDINGS, map(_embedding, report.embeddings)))
    console.print(Text(wording.verdict(report)))
    if silence := wording.silence(report):
        console.print(Text(silence))


_LABELS: Final = ("answered to", "verdict", "marks", "controls", "difference (95 %)", "by chance")
_EMBEDDINGS: Final = ("answered to", "verdict", "texts", "of the moves' strength", "by chance")


def _label(each: Judged) -> Sequence[str]:
    marks, controls = wording.agreeing(each.marks), wording.agreeing(each.controls)
    chance = wording.chance(each.corrected)
    return each.name, each.verdict, marks, controls, wording.effect(each), chance


def _embedding(each: JudgedEmbeddings) -> Sequence[str]:
    chance = wording.chance(each.corrected)
    return each.name, each.verdict, wording.answered(each), wording.kept(each), chance


def show_texts(report: TextReport, console: Console | None = None) -> None:
    console = console or _console()
    rows = (
        (
            each.name,
            each.verdict,
            text_wording.shown(each),
            wording.chance(each.corrected),
            text_wording.committed(each),
        )
        for each in report.judged
    )
    names = ("marks", "verdict", "in the texts", "by chance", "committed to")
    console.print(_table(names, rows))
    console.print(Text(text_wording.verdict(report)))
    if silence := text_wording.silence(report):
        console.print(Text(silence))


def show_held(held: Sequence[Held], console: Console | None = None) -> None:
    console = console or _console()
    rows = (
        (
            each.name,
            ", ".join(each.tenants),
            _marks(each),
            str(each.controls) if each.marks or each.controls else "",
            f"{each.first:%Y-%m-%d}",
            f"{each.last:%Y-%m-%d}",
            "yes" if each.enough else f"no, of {each.needed} {'texts' if each.texts else 'marks'}",
        )
        for each in held
    )
    names = ("answered to", "who asked", "marks", "controls", "first", "last", "enough")
    console.print(_table(names, rows))


def _marks(held: Held) -> str:
    if held.texts:
        return f"{held.texts} texts"
    lists = f"{held.lists} list{'s' * (held.lists > 1)}" if held.lists else ""
    canaries = f"{held.canaries} canar{'ies' if held.canaries > 1 else 'y'}"
    return ", ".join(filter(None, (lists, canaries * bool(held.canaries)))) or str(held.marks)


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
        table.add_row(*(Text(wording.plain(each)) for each in row))
    return table
