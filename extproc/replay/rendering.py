"""What ``extproc replay`` prints."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.replay.comparison import Tenant

_WIDTH: Final = 200
"""Of what is not printed on a terminal."""
_COLUMNS: Final = ("tenant", "requests", "served", "would be", "other tier", "changes")


def to_json(tenants: Sequence[Tenant], unjudged: Mapping[str, str], version: str) -> str:
    said = {"policy": version, "tenants": tenants, "unjudged": unjudged}
    return json.dumps(msgspec.to_builtins(said), indent=2)


def show(
    tenants: Sequence[Tenant], unjudged: Mapping[str, str], console: Console | None = None
) -> None:
    """A row for each tenant, and what could not be judged."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in {"tenant", "changes"} else "right")
    for each in tenants:
        numbers = (each.requests, each.served, each.would, each.lowered)
        table.add_row(Text(each.tenant or "(nobody)"), *map(str, numbers), Text(_changes(each)))
    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDTH)
    console.print(table)
    for limit, why in unjudged.items():
        console.print(Text(f"not judged: {limit}: {why}"))


def _changes(tenant: Tenant) -> str:
    told = [f"{each.count} {each.before} -> {each.after}" for each in tenant.changes]
    return "\n".join(told) or "none"
