"""``extproc tenants`` and what stands below it.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not do it, or does not
know whether it did; 4 where there is no sidecar, tenant or limit of such a name.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from extproc.tenants.options import Asking, asking, connected

if TYPE_CHECKING:
    from extproc.accounts.messages import Acting

tenants = typer.Typer(
    invoke_without_command=True,
    help="Budgets of tenants: what is spent, and when they will be used up; grant, reset, stop.",
)

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


@tenants.callback()
@asking
def list_tenants(asked: Asking) -> None:
    """Every tenant, with those of its budgets that are most used."""
    from extproc.tenants import table

    with connected(asked.where) as connection:
        holders = [*connection.tenants()]
    if asked.output == "json":
        print(table.to_json(holders))
    else:
        table.show(holders)


@tenants.command()
@asking
def show(
    asked: Asking,
    whom: Whom,
    most: Annotated[
        int, typer.Option("--limit", help="At most so many counters.", min=1, max=200)
    ] = 50,
) -> None:
    """All counters of one tenant, the most used first."""
    from extproc.accounts.messages import Show, Shown
    from extproc.tenants import table

    with connected(asked.where) as connection:
        holder = connection.ask(Show(whom, most), Shown).holder
    if asked.output == "json":
        print(table.to_json(holder))
    else:
        table.show_one(holder)


@tenants.command()
@asking
def grant(
    asked: Asking,
    whom: Whom,
    limit: LimitName,
    amount: Annotated[
        float,
        typer.Argument(metavar="AMOUNT", help="In the limit's unit.", min=0, show_default=False),
    ],
    subject: Subject = None,
) -> None:
    """Give so much of a budget, in the period that is running; of a rate no more than was used."""
    from extproc.accounts.messages import Grant

    if not 0 < amount <= 1e12:
        raise typer.BadParameter("an amount is above 0, and at most 1000000000000")
    _act(asked, Grant(whom, limit, amount, subject))


@tenants.command()
@asking
def reset(
    asked: Asking,
    whom: Whom,
    limit: LimitName,
    subject: Subject = None,
    every: Annotated[bool, typer.Option("--all", help="The counters of all subjects.")] = False,
) -> None:
    """Give back all that was spent of a budget."""
    from extproc.accounts.messages import Reset

    _act(asked, Reset(whom, limit, subject, all=every))


@tenants.command()
@asking
def freeze(asked: Asking, whom: Tenant) -> None:
    """Refuse every request of a tenant until it is thawed, on all replicas that share its store."""
    from extproc.accounts.messages import Freeze

    _act(asked, Freeze(whom))


@tenants.command()
@asking
def thaw(asked: Asking, whom: Tenant) -> None:
    """Let a tenant in again."""
    from extproc.accounts.messages import Thaw

    _act(asked, Thaw(whom))


def _act(asked: Asking, ask: "Acting") -> None:
    from extproc.accounts.messages import Done
    from extproc.tenants import table

    with connected(asked.where) as connection:
        done = connection.ask(ask, Done)
    print(table.to_json(done) if asked.output == "json" else table.told(done))
