"""What ``extproc privacy`` prints: a table, and JSON.

Rule: whatever stands in the table stands in the JSON too.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from extproc.accounts.rows import short
from extproc.config import compile_table, load
from extproc.policy import PolicyTable
from extproc.promises.outlook import Line
from extproc.tenants.printing import columns, wide

_COLUMNS: Final = ("of", "subject", "budget", "promised", "spent", "used", "answers left", "lasts")
_CHANGED: Final = "answers left then"
_NUMBERS: Final = frozenset({"spent", "used", "answers left", "lasts", _CHANGED})


def compiled(policy: Path, base: Path | None) -> PolicyTable:
    """Raise ConfigError where the file is none."""
    return compile_table(load(policy, base))


def show(lines: Sequence[Line], *, changed: bool, console: Console | None = None) -> None:
    table = columns(*_COLUMNS, *((_CHANGED,) if changed else ()), numbers=_NUMBERS)
    for line in lines:
        table.add_row(*map(Text, _cells(line, changed=changed)))
    wide(console).print(table)
    if not lines:
        wide(console).print("nothing has been told of what any budget of privacy counts")


def to_json(lines: Sequence[Line]) -> str:
    """Numbers that are infinite are null."""
    told = [
        {name: None if value == math.inf else value for name, value in asdict(line).items()}
        for line in lines
    ]
    return json.dumps(told, indent=2)


def _cells(line: Line, *, changed: bool) -> list[str]:
    cells = [
        line.whom,
        short(line.subject),
        line.budget,
        f"({line.epsilon:g}, {line.delta:g})",
        f"{line.spent:.3f}",
        f"{line.used:.1%}",
        "" if line.answers is None else f"{line.answers:,}",
        "" if line.days is None else f"{line.days:,.1f} days",
    ]
    return [*cells, "" if line.changed is None else f"{line.changed:,}"] if changed else cells
