"""What ``extproc tenants`` prints: tables, sentences and JSON.

Rule: whatever stands in a table stands in the JSON too, as a number, a name or a time in UTC.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from extproc.accounts.messages import Done, Holder
from extproc.accounts.rows import Row, short
from extproc.tenants.printing import columns, moment, wide

_COLUMNS: Final = ("limit", "of", "spent", "max", "used", "resets", "forecast")
_NUMBERS: Final = frozenset({"spent", "max", "used"})
_NAMELESS: Final = "\0"
"""The subject of all whom a store has no counter left for."""


def show(holders: Sequence[Holder], console: Console | None = None) -> None:
    """Every one of them, with a few counters each."""
    watched = any(holder.suspicion is not None for holder in holders)
    names = ["tenant", *(["suspicion"] if watched else []), *_COLUMNS]
    table = columns(*names, numbers=_NUMBERS)
    for holder in holders:
        name = f"{holder.whom} (frozen)" if holder.frozen else holder.whom
        first = [name, _suspicion(holder)] if watched else [name]
        for cells in _cells(holder) or [["nothing spent"]]:
            table.add_row(*map(Text, [*first, *cells]))
            first = [""] * len(first)
    wide(console).print(table)


def show_one(holder: Holder, console: Console | None = None) -> None:
    """All that is known of one."""
    table = columns(*_COLUMNS, numbers=_NUMBERS)
    for cells in _cells(holder):
        table.add_row(*map(Text, cells))
    console = wide(console)
    console.print(table)
    for line in _besides(holder):
        console.print(Text(line))


def told(done: Done) -> str:
    """One sentence."""
    match done.act:
        case "freeze":
            return f"{done.whom} is stopped: every request of it is refused until it is thawed"
        case "thaw":
            return f"{done.whom} is let in again"
        case "grant":
            return _changed(
                done, f"granted {_number(done.amount or 0)} {done.unit} of {done.limit}"
            )
        case "reset":
            return _changed(done, f"reset {done.limit}")


def _changed(done: Done, what: str) -> str:
    where = f"{done.whom}{f', {short(done.subject)}' if done.subject else ''}"
    if done.now is None:
        counters = "1 counter" if done.counters == 1 else f"{done.counters} counters"
        return f"{what} of {where}: {counters}"
    now = done.now
    return f"{what}, {where}: {_number(now.spent)} of {_number(now.max)} {now.unit} are spent"


def to_json(said: Holder | Done | Sequence[Holder]) -> str:
    return json.dumps(msgspec.to_builtins(said), indent=2)


def _cells(holder: Holder) -> list[list[str]]:
    return [_row(row) for row in holder.counters]


def _row(row: Row) -> list[str]:
    subject = "(others)" if row.subject == _NAMELESS else short(row.subject)
    return [
        f"{row.limit}/{row.window}" if row.window else row.limit,
        subject or ("each " + " and ".join(row.per) if row.per else ""),
        _number(row.spent),
        f"{_number(row.max)} {row.unit}",
        f"{row.used:.0%}",
        moment(row.resets),
        _forecast(row),
    ]


def _forecast(row: Row) -> str:
    match row.forecast:
        case "none":
            return ""
        case "lasts":
            return "lasts"
        case "exhausted":
            return "exhausted"
        case "ends":
            return f"exhausted {moment(row.exhausted)}"


def _suspicion(holder: Holder) -> str:
    if holder.suspicion is None:
        return ""
    return f"{holder.suspicion:.2f} {holder.step}".rstrip()


def _besides(holder: Holder) -> Iterator[str]:
    if holder.suspicion is not None:
        yield f"suspicion: {_suspicion(holder)}: see extproc suspects"
    if holder.more:
        yield f"and {holder.more} counters more, less used: see --limit"
    if holder.frozen:
        yield f"{holder.whom} is stopped: see extproc tenants thaw"
    for whom, limits in holder.elsewhere.items():
        yield f"counts against {whom} too: {', '.join(limits)}"


def _number(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
