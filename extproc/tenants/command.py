"""``extproc tenants`` and what stands below it.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not do it, or does not
know whether it did; 4 where there is no sidecar, tenant or limit of such a name.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from extproc.tenants.options import Base, Output, Policy, Socket, Where, connected, where_of

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
def list_tenants(
    context: typer.Context,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Every tenant, with those of its budgets that are most used."""
    where = Where(policy, base, control)
    if context.invoked_subcommand is not None:
        context.obj = where
        return
    from extproc.tenants import table

    with connected(where) as connection:
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

    with connected(where_of(context, policy, base, control)) as connection:
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
    _act(where_of(context, policy, base, control), ask, output)


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
    _act(where_of(context, policy, base, control), ask, output)


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

    _act(where_of(context, policy, base, control), Freeze(whom), output)


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

    _act(where_of(context, policy, base, control), Thaw(whom), output)


def _act(where: Where, ask: "Acting", output: str) -> None:
    from extproc.accounts.messages import Done
    from extproc.tenants import table

    with connected(where) as connection:
        done = connection.ask(ask, Done)
    print(table.to_json(done) if output == "json" else table.told(done))
