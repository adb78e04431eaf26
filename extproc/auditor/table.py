"""An answer of ``extproc audit query``, as a table or as JSON."""

import json
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.auditor.query import Answer

_SHOWN: Final = (
    "time",
    "request",
    "tenant",
    "principal",
    "route",
    "model",
    "inputs",
    "decision",
    "reason",
    "status",
    "duration",
)
"""Of a record; the others stand in the JSON."""
_WIDTH: Final = 240
"""Of what is not printed on a terminal."""


def show(answer: Answer, console: Console | None = None) -> None:
    console = console or Console()
    if not console.is_terminal:
        console.width = _WIDTH
    columns = _SHOWN if _whole(answer) else answer.columns
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in answer.rows:
        said = dict(zip(answer.columns, row, strict=True))
        table.add_row(*(Text(_cell(said[name])) for name in columns))
    console.print(table)
    if answer.gaps:
        known = f"{answer.gaps} gaps, {answer.missing} records of known number missing"
        console.print(f"the files tell of {known}: see extproc audit verify")


def to_json(answer: Answer) -> str:
    rows = [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
    told = {"records": rows, "gaps": answer.gaps, "missing": answer.missing}
    return json.dumps(told, indent=2)


def _whole(answer: Answer) -> bool:
    """Whether its rows are whole records."""
    return {*_SHOWN} < {*answer.columns}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(" ", "seconds") if isinstance(value, datetime) else str(value)


def _plain(value: Any) -> Any:
    """Times are UTC; what else JSON has not is written as text."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return value if isinstance(value, bool | int | float | str | dict | None) else str(value)
