"""What the commands have in common that ask a sidecar which runs: where it is, and how to fail."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

if TYPE_CHECKING:
    from extproc.tenants.connection import Connection

REFUSED: Final = 1
"""Exit code where it was not done."""

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


@dataclass(frozen=True, slots=True)
class Where:
    """What of a command line says where the sidecar is."""

    policy: Path | None
    base: Path | None
    control: str

    def __bool__(self) -> bool:
        return self.policy is not None or bool(self.control)


def where_of(context: typer.Context, policy: Path | None, base: Path | None, control: str) -> Where:
    """What stands behind the command's name, or else before it."""
    own, before = Where(policy, base, control), context.obj
    return before if not own and isinstance(before, Where) else own


@dataclass(frozen=True, slots=True)
class Asking:
    """What the options say that all these commands have."""

    where: Where
    output: Literal["text", "json"]


_OPTIONS: Final = [
    Parameter("policy", Parameter.KEYWORD_ONLY, default=None, annotation=Policy),
    Parameter("base", Parameter.KEYWORD_ONLY, default=None, annotation=Base),
    Parameter("control", Parameter.KEYWORD_ONLY, default="", annotation=Socket),
    Parameter("output", Parameter.KEYWORD_ONLY, default="text", annotation=Output),
]
_CONTEXT: Final = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """The command with those options behind its own; what they say is its first argument.

    What stands before the name of a command below it is for that one.
    """

    @wraps(command)
    def run(*, context: typer.Context, **given: Any) -> None:
        where = where_of(context, *(given.pop(name) for name in ("policy", "base", "control")))
        if context.invoked_subcommand is not None:
            context.obj = where
        else:
            command(Asking(where, given.pop("output")), **given)

    _, *own = signature(command).parameters.values()
    keywords = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own]
    parameters = [_CONTEXT, *keywords, *_OPTIONS]
    # Typer makes a command line of these.
    run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


@contextmanager
def connected(where: Where) -> "Iterator[Connection]":
    """Exit with REFUSED, and why, where the sidecar does not do what it is asked."""
    from extproc.tenants.connection import Connection, Refused, address

    try:
        with Connection(address(where.policy, where.base, where.control)) as connection:
            yield connection
    except Refused as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(REFUSED) from refused
