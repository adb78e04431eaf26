"""``extproc keys``: keys made, listed, revoked and replaced.

Rule: a key is shown once, by what makes it; nothing else has it.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.config.key_file import KeyLine
    from extproc.config.key_register import Issue, Register

keys = typer.Typer(no_args_is_help=True, help="API keys: make, list, revoke and replace them.")

Policy = Annotated[Path, typer.Option(help="The policy file.", show_default=False)]
Base = Annotated[
    Path | None,
    typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
]
Credential = Annotated[
    str, typer.Option(help="Whose key file, where several credentials have one.")
]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]
Identity = Annotated[str, typer.Argument(metavar="ID", help="The key's id.", show_default=False)]

Rows = Callable[[], Iterator[dict[str, str]]]

COLUMNS = ("id", "prefix", "tenant", "created", "expires", "state", "note")


@keys.command("new")
def new(  # noqa: PLR0913, PLR0917 - an option for each thing a key file says
    policy: Policy,
    tenant: Annotated[
        str, typer.Option(help="Whose it is; it goes to the key file, which needs no restart.")
    ] = "",
    expires: Annotated[str, typer.Option(help="After how long, as in 90d; else never.")] = "",
    note: Annotated[str, typer.Option(help="What it is for, at most 120 characters.")] = "",
    credential: Credential = "",
    base: Base = None,
    output: Output = "text",
) -> None:
    """Make an API key, and show it once.

    Without a tenant nothing is written: the principal is for the policy's own list.
    """
    if tenant:
        lifetime = _duration(expires, "--expires") if expires else None
        found = _register(policy, base, credential)
        _show_new(found, found.issue(tenant, _now(), lifetime, note), output)
        return
    from extproc.config import new_key

    if expires or note or credential:
        raise ConfigError("these go to the key file, with whose key it is; name it: --tenant NAME")
    key = new_key()
    _show({"key": key, "principal": _principal(policy, base, key)}, output)


@keys.command("list")
def list_keys(
    policy: Policy,
    tenant: Annotated[str, typer.Option(help="Of this tenant only.")] = "",
    prefix: Annotated[
        str, typer.Option(help="Only those that begin so, or that a key of this text may be.")
    ] = "",
    credential: Credential = "",
    base: Base = None,
    output: Output = "text",
) -> None:
    """List the keys of the key file: never a key itself, nor its hash."""
    found = _register(policy, base, credential)
    now = _now()

    def rows() -> Iterator[dict[str, str]]:
        for line in found.lines():
            if (not tenant or line.tenant == tenant) and _begins(line.prefix, prefix):
                yield _row(line, now)

    try:
        if output == "json":
            _print_json(rows)
        else:
            _print_table(rows)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@keys.command()
def revoke(
    identity: Identity,
    policy: Policy,
    credential: Credential = "",
    base: Base = None,
    output: Output = "text",
) -> None:
    """Have a key prove nothing from now on."""
    found = _register(policy, base, credential)
    now = _now()
    line = found.revoke(identity, now)
    _show({"revoked": line.id, "tenant": line.tenant, "at": _told(line.revoked)}, output)


@keys.command()
def rotate(
    identity: Identity,
    policy: Policy,
    overlap: Annotated[
        str, typer.Option(help="How long the old key still works, as in 7d.", show_default=False)
    ],
    credential: Credential = "",
    base: Base = None,
    output: Output = "text",
) -> None:
    """Make a key for the same tenant, and have the old one expire after the overlap."""
    length = _duration(overlap, "--overlap")
    found = _register(policy, base, credential)
    _show_new(found, found.rotate(identity, _now(), length), output)


@keys.command("hash")
def hash_key(policy: Policy, base: Base = None) -> None:
    """Read a key from standard input and print its principal, which a tenant may list."""
    print(_principal(policy, base, sys.stdin.readline().strip()))


@keys.command("vault")
def new_vault_key(
    file: Annotated[Path, typer.Argument(help="Where to write the key.", show_default=False)],
) -> None:
    """Make a key for the vault of marks: the private one into FILE, which belongs on another
    machine; the public one into FILE.pub.
    """
    from extproc.config.vault_key import new_pair

    private, public = new_pair()
    beside = file.with_name(f"{file.name}.pub")
    try:
        # First, since it may be what a sidecar seals to, whose private key is elsewhere.
        with beside.open("xb") as known:
            known.write(public)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as secret:
            secret.write(private)
    except OSError as error:
        taken = f"{error.filename or file}: {error.strerror}"
        raise ConfigError(f"{taken}; choose a file that is not there") from error
    print(f"private: {file}")
    print(f"public:  {file}.pub")


def _register(policy: Path, base: Path | None, credential: str) -> "Register":
    from extproc.config import load
    from extproc.config.key_register import register

    return register(load(policy, base), credential)


def _principal(policy: Path, base: Path | None, key: str) -> str:
    """The keyed hash, under the secret that the policy names."""
    from extproc.config import load
    from extproc.config.key_register import hmac_key
    from extproc.credentials.api_key import principal

    found = principal({"x-api-key": key}, hmac_key(load(policy, base)))
    if found is None:
        raise ConfigError("this cannot be a key: use printable ASCII without spaces and commas")
    return found


def _duration(text: str, option: str) -> timedelta:
    from extproc.units import DURATION, seconds

    if not re.fullmatch(DURATION, text):
        raise typer.BadParameter("write a duration such as 90d or 12h", param_hint=option)
    return timedelta(seconds=seconds(text))


def _now() -> datetime:
    return datetime.now(UTC)


def _begins(prefix: str, text: str) -> bool:
    return prefix.startswith(text) or (len(text) > len(prefix) and text.startswith(prefix))


def _row(line: "KeyLine", now: datetime) -> dict[str, str]:
    from extproc.config.key_register import state_of

    return {
        "id": line.id,
        "prefix": line.prefix,
        "tenant": line.tenant,
        "created": _told(line.created),
        "expires": _told(line.expires),
        "state": state_of(line, now),
        "note": line.note,
    }


def _told(when: datetime | None) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when is not None else ""


def _show_new(found: "Register", made: "Issue", output: str) -> None:
    """What there is to know of a new key, and the key itself, this once."""
    line = made.line
    told = {
        "key": made.key,
        "id": line.id,
        "prefix": line.prefix,
        "tenant": line.tenant,
        "expires": _told(line.expires) or "never",
        "file": f"{found.path}",
    }
    _show(told, output)


def _show(told: dict[str, str], output: str) -> None:
    if output == "json":
        print(json.dumps(told, indent=2))
        return
    width = max(map(len, told)) + 2
    for name, value in told.items():
        print(f"{name + ':':{width}}{value}")


def _print_json(rows: Rows) -> None:
    """One array, a key on each line: there may be a million."""
    comma = "["
    for row in rows():
        print(f"{comma}{json.dumps({name: value or None for name, value in row.items()})}", end="")
        comma = ",\n "
    print("]" if comma != "[" else "[]")


def _print_table(rows: Rows) -> None:
    """Read twice: first for the widths, so that a million lines are not kept."""
    widths = {name: len(name) for name in COLUMNS}
    for row in rows():
        widths = {name: max(widths[name], len(row[name])) for name in COLUMNS}
    for row in chain([{name: name for name in COLUMNS}], rows()):
        print("  ".join(f"{row[name]:{widths[name]}}" for name in COLUMNS).rstrip())
