"""What ``extproc suspects`` prints: tables, sentences and JSON.

Rule: whatever stands in a table stands in the JSON too, as a number, a name or a time in UTC.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from extproc.accounts.suspects import Overridden, Suspect
from extproc.tenants.printing import columns, moment, wide

_TIMES: Final = frozenset({"first", "last"})
"""Of what was counted: when its first exchange came, and its last."""
_NUMBERS: Final = frozenset({"suspicion", "nats", "count"})


def show(suspects: Sequence[Suspect], console: Console | None = None) -> None:
    """One line each."""
    console = wide(console)
    if not suspects:
        console.print("nobody is suspected")
        return
    table = columns(
        "subject", "suspicion", "step", "until", "strongest evidence", "operator", numbers=_NUMBERS
    )
    for each in suspects:
        table.add_row(*map(Text, _row(each)))
    console.print(table)


def show_one(suspect: Suspect, console: Console | None = None) -> None:
    console = wide(console)
    for line in _head(suspect):
        console.print(Text(line))
    evidence = columns("evidence", "nats", numbers=_NUMBERS)
    for name, nats in suspect.evidence.items():
        evidence.add_row(name, f"{nats:.2f}")
    counts = columns("counted", "count", numbers=_NUMBERS)
    for name, count in suspect.counts.items():
        counts.add_row(name, _count(name, count))
    changes = columns("time", "from", "to", "suspicion", numbers=_NUMBERS)
    for change in suspect.history:
        after = _step(change.after, shadow=change.shadow) or "none"
        suspicion = f"{change.suspicion:.2f}"
        changes.add_row(moment(change.time), change.before or "none", after, suspicion)
    for table in (evidence, counts, changes):
        if table.row_count:
            console.print()
            console.print(table)


def told(done: Overridden) -> str:
    """One sentence."""
    subject, until = done.suspect.subject, done.suspect.word_until
    end = (
        f" until {moment(until)}"
        if until
        else f"; end that with: extproc suspects forgive {subject!r}"
    )
    match done.word:
        case "trust":
            return f"{subject} is trusted: it stands on no step{end}"
        case "freeze":
            return f"{subject} is frozen: every request of it is refused{end}"
        case "forgive":
            return f"{subject} is forgiven: it stands on no step, and is counted anew"


def to_json(said: Suspect | Overridden | Sequence[Suspect]) -> str:
    return json.dumps(msgspec.to_builtins(said), indent=2)


def _row(suspect: Suspect) -> list[str]:
    strongest = next(iter(suspect.evidence.items()), None)
    return [
        suspect.subject,
        f"{suspect.suspicion:.2f}",
        _step(suspect.step, shadow=suspect.shadow),
        moment(suspect.until),
        f"{strongest[0]} {strongest[1]:.2f} nats" if strongest else "",
        _word(suspect),
    ]


def _head(suspect: Suspect) -> Iterator[str]:
    yield f"subject:   {suspect.subject}"
    if suspect.tenant and suspect.tenant != suspect.subject:
        yield f"tenant:    {suspect.tenant}"
    traffic = f", measured as {suspect.traffic}" if suspect.traffic else ""
    yield f"suspicion: {suspect.suspicion:.2f}{traffic}"
    if suspect.step:
        step = _step(suspect.step, shadow=suspect.shadow)
        yield f"step:      {step} until {moment(suspect.until)}"
    else:
        yield "step:      none"
    if suspect.word:
        yield f"operator:  {_word(suspect)}"
    if suspect.cohorts:
        yield f"cohorts:   {', '.join(suspect.cohorts)}"


def _step(name: str, *, shadow: bool) -> str:
    return f"{name} (on trial)" if name and shadow else name


def _word(suspect: Suspect) -> str:
    return (
        f"{suspect.word} until {moment(suspect.word_until)}" if suspect.word_until else suspect.word
    )


def _count(name: str, count: int) -> str:
    return moment(datetime.fromtimestamp(count, UTC)) if name in _TIMES else str(count)
