"""``extproc audit``: verify a log, question it, and make the keys it is written under.

Exit codes as of every command (``extproc --help``): 1 where the log is not whole.
"""

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from extproc.auditor.grouping import By
from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.auditor.query import Answer

FOUND: Final = 1
"""Exit code where a log is not whole."""

audit = typer.Typer(no_args_is_help=True, help="Verify the audit log, and question it.")

Paths = Annotated[
    list[Path],
    typer.Argument(help="Files of the log, in any order: audit.jsonl*", show_default=False),
]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]


@audit.command()
def verify(
    paths: Paths,
    key: Annotated[
        list[Path],
        typer.Option(help="Who may have signed: public keys in PEM.", show_default=False),
    ],
    live: Annotated[
        bool, typer.Option("--live", help="The log is being written: its end may be open.")
    ] = False,
    known: Annotated[str, typer.Option(help="The head that an earlier verification printed.")] = "",
    output: Output = "text",
) -> int:
    """Find any line that was changed, taken out, moved or cut off; exit code 1 where one was."""
    from extproc.audit.verification import known_head
    from extproc.auditor import verifying

    try:
        head = known_head(known) if known else None
    except ValueError as error:
        raise typer.BadParameter("--known is NUMBER:HASH, as verify prints its head") from error
    report = verifying.verify(paths, key, head, live=live)
    print(verifying.to_json(report) if output == "json" else verifying.text(report))
    return 0 if report.whole else FOUND


@audit.command()
def query(  # noqa: PLR0913, PLR0917 - an option for each field that one asks by
    paths: Paths,
    tenant: Annotated[str, typer.Option(help="Of this tenant; * is any text.")] = "",
    principal: Annotated[str, typer.Option(help="Of this caller; * is any text.")] = "",
    route: Annotated[str, typer.Option(help="On this route; * is any text.")] = "",
    model: Annotated[str, typer.Option(help="Of this model; * is any text.")] = "",
    decision: Annotated[str, typer.Option(help="served, refused, cut or unfinished.")] = "",
    reason: Annotated[str, typer.Option(help="With this cause; * is any text.")] = "",
    request: Annotated[str, typer.Option(help="The x-request-id a client was told.")] = "",
    fingerprint: Annotated[str, typer.Option(help="About this input.")] = "",
    since: Annotated[str, typer.Option(help="From this time (ISO 8601), or 15m, 6h, 7d ago.")] = "",
    until: Annotated[str, typer.Option(help="Before this time, as --since.")] = "",
    by: Annotated[list[By] | None, typer.Option(help="Sums by this; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 50,
    sql: Annotated[
        str, typer.Option(help="Instead: a SELECT about records, acts, suspected, policies.")
    ] = "",
    output: Output = "text",
) -> None:
    """The latest records that fit, or sums of them; needs the extra audit (DuckDB)."""
    from extproc.auditor.query import Question, ask, ask_sql

    asked = {
        "tenant": tenant,
        "principal": principal,
        "route": route,
        "model": model,
        "decision": decision,
        "reason": reason,
        "request": request,
        "fingerprint": fingerprint,
    }
    equals = {name: value for name, value in asked.items() if value}
    now = datetime.now(UTC)
    question = Question(equals, _instant(since, now), _instant(until, now), by or (), limit)
    _show(ask_sql(paths, sql) if sql else ask(paths, question), output)


@audit.command()
def acts(
    paths: Paths,
    tenant: Annotated[
        str, typer.Option(help="About this tenant, cohort:NAME or shared:; * is any text.")
    ] = "",
    since: Annotated[str, typer.Option(help="From this time (ISO 8601), or 15m, 6h, 7d ago.")] = "",
    until: Annotated[str, typer.Option(help="Before this time, as --since.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 50,
    output: Output = "text",
) -> None:
    """What operators did about budgets and suspects, the latest first; needs the extra audit."""
    from extproc.auditor.query import Question, ask_acts

    now = datetime.now(UTC)
    equals = {"tenant": tenant} if tenant else {}
    question = Question(equals, _instant(since, now), _instant(until, now), (), limit)
    _show(ask_acts(paths, question), output)


@audit.command()
def suspected(  # noqa: PLR0913, PLR0917 - an option for each field that one asks by
    paths: Paths,
    tenant: Annotated[str, typer.Option(help="Of this tenant; * is any text.")] = "",
    subject: Annotated[str, typer.Option(help="Of this subject; * is any text.")] = "",
    since: Annotated[str, typer.Option(help="From this time (ISO 8601), or 15m, 6h, 7d ago.")] = "",
    until: Annotated[str, typer.Option(help="Before this time, as --since.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 50,
    output: Output = "text",
) -> None:
    """What was found of suspects, the latest first; needs the extra audit."""
    from extproc.auditor.query import Question, ask_suspected

    now = datetime.now(UTC)
    asked = {"tenant": tenant, "subject": subject}
    equals = {name: value for name, value in asked.items() if value}
    question = Question(equals, _instant(since, now), _instant(until, now), (), limit)
    _show(ask_suspected(paths, question), output)


@audit.command()
def policies(
    paths: Paths,
    since: Annotated[str, typer.Option(help="From this time (ISO 8601), or 15m, 6h, 7d ago.")] = "",
    until: Annotated[str, typer.Option(help="Before this time, as --since.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 50,
    output: Output = "text",
) -> None:
    """Which policy was in force, and from when, the latest first; needs the extra audit."""
    from extproc.auditor.query import Question, ask_policies

    now = datetime.now(UTC)
    question = Question({}, _instant(since, now), _instant(until, now), (), limit)
    _show(ask_policies(paths, question), output)


def _show(answer: "Answer", output: str) -> None:
    from extproc.auditor import table

    if output == "json":
        print(table.to_json(answer))
    else:
        table.show(answer)


@audit.command("key")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where to write the key.", show_default=False)],
) -> None:
    """Make a key that signs: the private one into FILE, the public one into FILE.pub."""
    from extproc.auditor.keys import new_pair

    private, public = new_pair()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as secret:
            secret.write(private)
        file.with_name(f"{file.name}.pub").write_bytes(public)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; choose a file that is not there") from error
    print(f"private: {file}")
    print(f"public:  {file}.pub")


@audit.command()
def pseudonym(
    policy: Annotated[Path, typer.Option(help="The policy file.", show_default=False)],
    base: Annotated[
        Path | None,
        typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
    ] = None,
) -> None:
    """Read an identity from standard input, as jwt:ISSUER|SUBJECT; print what records call it."""
    from extproc.config import compile_table, load

    names = compile_table(load(policy, base)).pseudonyms
    if names is None:
        raise ConfigError(f"{policy}: it has no audit log; add audit to it")
    found = names.principal(sys.stdin.readline().strip())
    if not found:
        raise ConfigError("this is no identity; write it as KIND:NAME, such as jwt:ISSUER|SUBJECT")
    print(f"principal: {found}")
    print(f"epoch:     {names.epoch}")


_AGO: Final = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def _instant(text: str, now: datetime) -> datetime | None:
    """A time, in UTC unless it says otherwise; or so long ago."""
    if not text:
        return None
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - timedelta(**{_UNITS[ago["unit"]]: int(ago["count"])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("a time is as 2026-01-31T12:00 (UTC), or as 6h") from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
