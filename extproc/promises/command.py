"""``extproc privacy``.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not answer, or where a
promise is used up; 4 where there is no sidecar or file of such a name.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from extproc.tenants.options import Base, Output, Socket, Where, connected

FOUND = 1
"""Exit code where a promise has nothing left."""


def privacy(
    policy: Annotated[
        Path, typer.Option(help="The sidecar's policy file, which names its socket.")
    ],
    change: Annotated[
        Path | None,
        typer.Option(help="Another policy file: how many answers would be left under it."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day on which the ledger began: how long what is left will last.",
        ),
    ] = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> int:
    """What was promised of privacy, what has been spent of it, and how many answers are left."""
    from extproc.promises import outlook, table

    known = outlook.prices(table.compiled(policy, base))
    changed = outlook.prices(table.compiled(change, base)) if change is not None else None
    with connected(Where(policy, base, control)) as connection:
        holders = [*connection.tenants(private=True)]
    now = datetime.now(UTC)
    elapsed = None if since is None else outlook.since(since.replace(tzinfo=UTC), now)
    found = outlook.lines(holders, known, changed, elapsed)
    if output == "json":
        print(table.to_json(found))
    else:
        table.show(found, changed=change is not None)
    return FOUND if any(line.answers == 0 for line in found) else 0
