"""``extproc explain`` and ``extproc test``.

Exit codes: explain 0 where the request is allowed, 1 where it is refused; test 0 where every case
holds, 1 where one does not; both 4 where a file cannot be used (``extproc --help``).
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.rehearsal.trial import Trial

REFUSED: Final = 1
"""Exit code where a request is refused, or a case does not hold."""

Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]
Base = Annotated[
    Path | None,
    typer.Option(
        envvar="EXTPROC_BASE",
        help="The platform's base file, which binds the policy file.",
        show_default=False,
    ),
]


def explain(  # noqa: PLR0913, PLR0917 - an option for each thing that a request may have
    policy: Annotated[Path, typer.Option(help="The policy file.", show_default=False)],
    request: Annotated[
        str,
        typer.Argument(metavar="REQUEST", help="As in 'POST /v1/embeddings'.", show_default=False),
    ] = "",
    base: Base = None,
    tenant: Annotated[str, typer.Option(help="Assume that this tenant asks.")] = "",
    credential: Annotated[
        list[str] | None, typer.Option(help="What it shows; all there are, unless named.")
    ] = None,
    strength: Annotated[
        int | None, typer.Option(help="Of what it shows; the most there can be, unless said.")
    ] = None,
    key: Annotated[
        str, typer.Option(help="Instead: a real key or token, as env:NAME, file:PATH or -.")
    ] = "",
    header: Annotated[list[str] | None, typer.Option(help="As in 'accept: text/plain'.")] = None,
    model: Annotated[str, typer.Option(help="Without a body: the model that it will name.")] = "",
    body: Annotated[str, typer.Option(help="A file with the body; - for standard input.")] = "",
    output: Output = "text",
) -> int:
    """What holds for a request, where each value stands, and why it is allowed or refused.

    Without a request the whole policy, with the file and line of each value.
    """
    if not request:
        return _whole(policy, base, output)
    caller = _Caller(tenant, tuple(credential or ()), strength, key)
    asked = _Asked(request, tuple(header or ()), model, body)
    return _request(policy, base, caller, asked, output)


@dataclass(frozen=True, slots=True)
class _Caller:
    tenant: str
    credentials: tuple[str, ...]
    strength: int | None
    key: str


@dataclass(frozen=True, slots=True)
class _Asked:
    line: str
    headers: tuple[str, ...]
    model: str
    body: str


def _whole(policy: Path, base: Path | None, output: str) -> int:
    from extproc.config import load
    from extproc.config.document import dotted
    from extproc.rehearsal.policy_text import origins, policy_text
    from extproc.rehearsal.rendering import to_json

    document = load(policy, base).document
    if output == "text":
        print(policy_text(document))
        return 0
    where = {
        dotted(place): {"file": str(origin.path), "line": origin.line, "layer": origin.layer}
        for place, origin in origins(document)
    }
    aside = [
        {"path": dotted(each.place), "instead_of": str(each.origin), "by": str(each.by)}
        for each in document.overruled
    ]
    print(to_json({"policy": document.data, "origins": where, "overruled": aside}))
    return 0


def _request(policy: Path, base: Path | None, caller: _Caller, asked: _Asked, output: str) -> int:
    from extproc.config import compile_table, load
    from extproc.rehearsal import rendering
    from extproc.rehearsal.explanation import explain as explained_by
    from extproc.rehearsal.play import play
    from extproc.rehearsal.request import Caller, assuming, checked, read_headers, with_type
    from extproc.rehearsal.stand_ins import table_without_secrets

    config = load(policy, base)
    table = compile_table(config) if caller.key else table_without_secrets(config)
    headers = read_headers(asked.headers, table.credential_headers)
    if caller.key:
        headers["authorization"] = f"Bearer {_secret(caller.key)}"
    elif caller.tenant:
        who = Caller(caller.tenant, caller.credentials, caller.strength)
        table = assuming(table, config, who)
    content = _body(asked)
    request = checked(asked.line, with_type(headers, content))
    now = time.time()  # noqa: TID251 - when the request is made
    explained = explained_by(config, table, play(table, request, content, now, asked.model))
    told = rendering.to_json(rendering.data(explained))
    print(told if output == "json" else rendering.text(explained))
    return 0 if explained.allowed else REFUSED


def _secret(reference: str) -> str:
    """Whatever error there is says nothing of it."""
    from extproc.rehearsal.files import named

    scheme, _, name = reference.partition(":")
    if reference == "-":
        return sys.stdin.readline().strip()
    if scheme == "env" and name in os.environ:
        return os.environ[name]
    if scheme == "file" and name:
        return named(Path(name)).decode("ascii", "replace").strip()
    raise ConfigError("--key names no secret; write env:NAME of a variable, file:PATH, or -")


def _body(asked: _Asked) -> bytes | None:
    from extproc.rehearsal.files import MOST, named

    if asked.body == "-":
        return sys.stdin.buffer.read(MOST)
    if asked.body:
        return named(Path(asked.body))
    return b"" if asked.line.startswith(("GET ", "HEAD ")) else None


def try_cases(
    files: Annotated[list[Path], typer.Argument(help="Files of cases.", show_default=False)],
    policy: Annotated[
        Path | None, typer.Option(help="The policy file, instead of the one that a file names.")
    ] = None,
    base: Base = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Name the policies and routes that no case is about.")
    ] = False,
    output: Output = "text",
) -> int:
    """Try what a policy makes of requests and answers, without Envoy; 1 where a case fails.

    Secrets are stood in for, and the policy is tried as it is when it is in force for all, so that
    a case comes out alike everywhere.
    """
    from extproc.rehearsal import verdicts

    trials = [_trial(path, policy, base) for path in files]
    report = verdicts.Report(tuple(trials), coverage=coverage)
    print(verdicts.to_json(report) if output == "json" else verdicts.text(report))
    return REFUSED if report.failed else 0


def _trial(path: Path, policy: Path | None, base: Path | None) -> "Trial":
    from extproc.config import load
    from extproc.rehearsal.cases import read_cases
    from extproc.rehearsal.stand_ins import in_force, table_without_secrets
    from extproc.rehearsal.trial import Trial

    document, cases = read_cases(path)
    if policy is None and not cases.policy:
        wrong = "no policy file is named"
        raise document.fault((), wrong, "add policy: FILE, or give --policy FILE")
    bound = base or (path.parent / cases.base if cases.base else None)
    config = in_force(load(policy or path.parent / cases.policy, bound))
    trial = Trial(config, table_without_secrets(config))
    trial.run(path, time.time())  # noqa: TID251 - when the requests are made
    return trial
