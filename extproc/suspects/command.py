"""``extproc suspects`` and what stands below it.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not do it, or does not
know whether it did; 4 where there is no sidecar, where nobody is watched, or nothing is known of
whom it is about.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from extproc.tenants.options import Base, Output, Policy, Socket, Where, connected, where_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc.accounts.suspects import Override, Suspect
    from extproc.tenants.connection import Connection

suspects = typer.Typer(
    invoke_without_command=True,
    help="Who looks as if they copied a model, by what evidence; trust, freeze, forgive.",
)

Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT",
        help="As alerts and the list have it: a tenant, 'TENANT|PRINCIPAL' or cohort:NAME.",
        show_default=False,
    ),
]
For = Annotated[
    str,
    typer.Option("--for", help="For so long, such as 12h or 7d; else without an end."),
]


@suspects.callback()
def list_suspects(
    context: typer.Context,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Everybody of whom there is a case, the most suspicious first."""
    where = Where(policy, base, control)
    if context.invoked_subcommand is not None:
        context.obj = where
        return
    from extproc.suspects import table

    with connected(where) as connection:
        found = sorted(_all(connection), key=lambda each: (-each.suspicion, each.subject))
    if output == "json":
        print(table.to_json(found))
    else:
        table.show(found)


@suspects.command()
def show(
    context: typer.Context,
    subject: Subject,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """All that is known of one: the evidence of each detector, what was counted, its steps."""
    from extproc.accounts.suspects import ShownSuspect, ShowSuspect
    from extproc.suspects import table

    with connected(where_of(context, policy, base, control)) as connection:
        found = connection.ask(ShowSuspect(subject), ShownSuspect).suspect
    if output == "json":
        print(table.to_json(found))
    else:
        table.show_one(found)


@suspects.command()
def trust(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    subject: Subject,
    time: For = "",
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Let one be, whatever the evidence: it stands on no step."""
    from extproc.accounts.suspects import Override

    ask = Override(subject, "trust", _seconds(time))
    _say(where_of(context, policy, base, control), ask, output)


@suspects.command()
def freeze(  # noqa: PLR0913, PLR0917 - an option each
    context: typer.Context,
    subject: Subject,
    time: For = "",
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Refuse every request of one, whatever the evidence."""
    from extproc.accounts.suspects import Override

    ask = Override(subject, "freeze", _seconds(time))
    _say(where_of(context, policy, base, control), ask, output)


@suspects.command()
def forgive(
    context: typer.Context,
    subject: Subject,
    policy: Policy = None,
    base: Base = None,
    control: Socket = "",
    output: Output = "text",
) -> None:
    """Begin anew with one: no step, no evidence, and no trust or freeze that was said before."""
    from extproc.accounts.suspects import Override

    _say(where_of(context, policy, base, control), Override(subject, "forgive"), output)


def _say(where: Where, ask: "Override", output: str) -> None:
    from extproc.accounts.suspects import Overridden
    from extproc.suspects import table

    with connected(where) as connection:
        done = connection.ask(ask, Overridden)
    print(table.to_json(done) if output == "json" else table.told(done))


def _all(connection: "Connection") -> "Iterator[Suspect]":
    from extproc.accounts.suspects import SuspectPage, Suspects

    after = ""
    while True:
        page = connection.ask(Suspects(after), SuspectPage)
        yield from page.suspects
        if not page.after:
            return
        after = page.after


def _seconds(time: str) -> float | None:
    import re

    from extproc.accounts.suspects import FOREVER
    from extproc.units import DURATION, seconds

    if not time:
        return None
    if not re.fullmatch(DURATION, time) or seconds(time) > FOREVER:
        raise typer.BadParameter("--for is a time such as 90m, 12h or 7d, of ten years at most")
    return seconds(time)
