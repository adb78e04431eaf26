"""``extproc suspects`` and what stands below it.

Exit codes as of every command (``extproc --help``): 1 where the sidecar did not do it, or does not
know whether it did; 4 where there is no sidecar, where nobody is watched, or nothing is known of
whom it is about.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from extproc.tenants.options import Asking, asking, connected

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
@asking
def list_suspects(asked: Asking) -> None:
    """Everybody of whom there is a case, the most suspicious first."""
    from extproc.suspects import table

    with connected(asked.where) as connection:
        found = sorted(_all(connection), key=lambda each: (-each.suspicion, each.subject))
    if asked.output == "json":
        print(table.to_json(found))
    else:
        table.show(found)


@suspects.command()
@asking
def show(asked: Asking, subject: Subject) -> None:
    """All that is known of one: the evidence of each detector, what was counted, its steps."""
    from extproc.accounts.suspects import ShownSuspect, ShowSuspect
    from extproc.suspects import table

    with connected(asked.where) as connection:
        found = connection.ask(ShowSuspect(subject), ShownSuspect).suspect
    if asked.output == "json":
        print(table.to_json(found))
    else:
        table.show_one(found)


@suspects.command()
@asking
def trust(asked: Asking, subject: Subject, time: For = "") -> None:
    """Let one be, whatever the evidence: it stands on no step."""
    from extproc.accounts.suspects import Override

    _say(asked, Override(subject, "trust", _seconds(time)))


@suspects.command()
@asking
def freeze(asked: Asking, subject: Subject, time: For = "") -> None:
    """Refuse every request of one, whatever the evidence."""
    from extproc.accounts.suspects import Override

    _say(asked, Override(subject, "freeze", _seconds(time)))


@suspects.command()
@asking
def forgive(asked: Asking, subject: Subject) -> None:
    """Begin anew with one: no step, no evidence, and no trust or freeze that was said before."""
    from extproc.accounts.suspects import Override

    _say(asked, Override(subject, "forgive"))


def _say(asked: Asking, ask: "Override") -> None:
    from extproc.accounts.suspects import Overridden
    from extproc.suspects import table

    with connected(asked.where) as connection:
        done = connection.ask(ask, Overridden)
    print(table.to_json(done) if asked.output == "json" else table.told(done))


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
