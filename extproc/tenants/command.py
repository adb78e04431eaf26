"""``extproc tenants`` and what stands below it.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not do it, or does not
know whether it did; 4 where there is no sidecar, tenant or limit of such a name.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from extproc.accounts.messages import Acting
    from extproc.tenants.connection import Connection

REFUSED: Final = 1
"""Exit code where it was not done."""

tenants = typer.Typer(
    invoke_without_command=True,
    help="Budgets of tenants: what is spent, and when they will be used up; grant, reset, stop.",
)

Policy = Annotated[
    Path | None,
    typer.Option(help="The sidecar's policy file, which names its socket.", show_default=False),
]
Base = Annotated[
    Path | None,
    typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
]
Socket = Annotated[
    str,
    typer.Option(
        "--control",
        envvar="EXTPROC_CONTROL",
        help="Instead: the sidecar's control socket, as unix:///PATH.",
        show_default=False,
    ),
]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]
Whom = Annotated[
    str,
    typer.Argument(
        metavar="TENANT",
        help="Or cohort:NAME; or shared: for what tenants share.",
        show_default=False,
    ),
]
Tenant = Annotated[str, typer.Argument(metavar="TENANT", show_default=False)]
LimitName = Annotated[
    str, typer.Argument(metavar="LIMIT", help="As the policy names it.", show_default=False)
]
Subject = Annotated[
    str | None,
    typer.Option(help="Whose counter, or as much of it as no other has.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class _Where:
    policy: Path | None
    base: Path | None
    control: str

    def __bool__(self) -> bool:
        return self.policy is not None or bool(self.control)


@tenants.callback()
def list_tenants(
    context: typer.Context,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Every tenant, with those of its budgets that are most used."""
    where = _Where(policy, base, control)
    if context.invoked_subcommand is not None:
        context.obj = where
        return
    from extproc.tenants import table

    with _connected(where) as connection:
        holders = [*connection.tenants()]
    if output == "json":
        print(table.to_json(holders))
    else:
        table.show(holders)


@tenants.command()
def show(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    whom: Whom,
    most: Annotated[
        int, typer.Option("--limit", help="At most so many counters.", min=1, max=200)
    ] = 50,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """All counters of one tenant, the most used first."""
    from extproc.accounts.messages import Show, Shown
    from extproc.tenants import table

    with _connected(_where(context, policy, base, control)) as connection:
        holder = connection.ask(Show(whom, most), Shown).holder
    if output == "json":
        print(table.to_json(holder))
    else:
        table.show_one(holder)


@tenants.command()
def grant(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    whom: Whom,
    limit: LimitName,
    amount: Annotated[
        float,
        typer.Argument(metavar="AMOUNT", help="In the limit's unit.", min=0, show_default=False),
    ],
    subject: Subject = None,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Give so much of a budget, in the period that is running; of a rate no more than was used."""
    from extproc.accounts.messages import Grant

    if not 0 < amount <= 1e12:
        raise typer.BadParameter("an amount is above 0, and at most 1000000000000")
    ask = Grant(whom, limit, amount, subject)
    _act(_where(context, policy, base, control), ask, output)


@tenants.command()
def reset(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    whom: Whom,
    limit: LimitName,
    subject: Subject = None,
    every: Annotated[bool, typer.Option("--all", help="The counters of all subjects.")] = False,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Give back all that was spent of a budget."""
    from extproc.accounts.messages import Reset

    ask = Reset(whom, limit, subject, all=every)
    _act(_where(context, policy, base, control), ask, output)


@tenants.command()
def freeze(
    context: typer.Context,
    whom: Tenant,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Refuse every request of a tenant until it is thawed, on all replicas that share its store."""
    from extproc.accounts.messages import Freeze

    _act(_where(context, policy, base, control), Freeze(whom), output)


@tenants.command()
def thaw(
    context: typer.Context,
    whom: Tenant,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Let a tenant in again."""
    from extproc.accounts.messages import Thaw

    _act(_where(context, policy, base, control), Thaw(whom), output)


def _where(context: typer.Context, policy: Path | None, base: Path | None, control: str) -> _Where:
    """What stands behind the command's name, or else before it."""
    own, before = _Where(policy, base, control), context.obj
    return before if not own and isinstance(before, _Where) else own


def _act(where: _Where, ask: "Acting", output: str) -> None:
    from extproc.accounts.messages import Done
    from extproc.tenants import table

    with _connected(where) as connection:
        done = connection.ask(ask, Done)
    print(table.to_json(done) if output == "json" else table.told(done))


@contextmanager
def _connected(where: _Where) -> "Iterator[Connection]":
    from extproc.tenants.connection import Connection, Refused, address

    try:
        with Connection(address(where.policy, where.base, where.control)) as connection:
            yield connection
    except Refused as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(REFUSED) from refused
