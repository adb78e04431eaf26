"""What the tables of ``extproc tenants`` and ``extproc suspects`` have in common."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table

_WIDTH: Final = 240
"""Of what is not printed on a terminal."""


def moment(at: datetime | None) -> str:
    """In UTC; empty where it has not come and will not."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if at is not None else ""


def columns(*names: str, numbers: Collection[str]) -> Table:
    """An empty table; columns of numbers are those that are called so."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", justify="right" if name in numbers else "left")
    return table


def wide(console: Console | None) -> Console:
    console = console or Console()
    if not console.is_terminal:
        console.width = _WIDTH
    return console
