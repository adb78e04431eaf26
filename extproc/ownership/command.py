"""``extproc ownership``: whose marks a model carries, and what it takes to be told.

Exit codes as of every command (``extproc --help``): 1 where a suspect carries marks, or a report is
not as it was signed; 4 where a log is not whole, a key does not open, or a suspect does not answer:
then nothing is said at all.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from extproc.ownership.answers import Answers
    from extproc.ownership.commitments import Bounds, Committed
    from extproc.ownership.questions import Question
    from extproc.ownership.report import Basis, Report
    from extproc.ownership.suspect import Api
    from extproc.ownership.vault_file import Opened

FOUND: Final = 1
"""Exit code where marks are found, or a report is not as it was signed."""
_TOLD: Final = 100
"""Questions after which a line tells how far it is."""

ownership = typer.Typer(
    no_args_is_help=True, help="Whether a model is a copy, of what was answered to whom."
)

Log = Annotated[
    list[Path],
    typer.Argument(
        metavar="AUDIT...", help="Files of the audit log: audit.jsonl*", show_default=False
    ),
]
Key = Annotated[
    list[Path],
    typer.Option(help="Who may have signed it: public keys in PEM.", show_default=False),
]
Live = Annotated[
    bool, typer.Option("--live", help="The log is being written: its end may be open.")
]
Before = Annotated[str, typer.Option(help="Only what was signed before this time (ISO 8601).")]
Anchor = Annotated[
    list[str] | None,
    typer.Option(help="Only what stands up to this head of the log, NUMBER:HASH; one for each."),
]
VaultFiles = Annotated[
    list[Path], typer.Option(help="Files of the vault; once for each.", show_default=False)
]
VaultKey = Annotated[
    Path | None, typer.Option(help="The private key that opens it; none for what `reveal` shows.")
]
Hmac = Annotated[
    Path | None,
    typer.Option(help="The file of keys.hmac: what it does not draw as a mark does not count."),
]
Model = Annotated[str, typer.Option(help="Only what was answered of this model.")]
Questions = Annotated[int, typer.Option(help="At most so many, all in all.", min=1, max=100_000)]
Sign = Annotated[
    Path, typer.Option(help="The private key that signs the report.", show_default=False)
]
Out = Annotated[Path, typer.Option(help="The folder for the report.", show_default=False)]
Clean = Annotated[
    list[Path] | None,
    typer.Option(help="What a model said that is known to be independent (JSONL)."),
]
SuspectKey = Annotated[
    str, typer.Option(help="Where a suspect's API key is: env:NAME or file:PATH.")
]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]


@ownership.command()
def commitments(
    log: Log,
    key: Key,
    before: Before = "",
    anchor: Anchor = None,
    live: Live = False,
    output: Output = "text",
) -> None:
    """What was marked, for whom, and whether it is enough to know a copy by."""
    from extproc.ownership import table
    from extproc.ownership.commitments import committed
    from extproc.ownership.held import held

    found = held(committed(log, key, bounds(before, anchor), live=live).counted)
    if output == "json":
        print(table.held_as_json(found))
    else:
        table.show_held(found)


@ownership.command()
def sheet(  # noqa: PLR0913, PLR0917 - an option each
    log: Log,
    key: Key,
    vault: VaultFiles,
    vault_key: VaultKey = None,
    before: Before = "",
    anchor: Anchor = None,
    model: Model = "",
    questions: Questions = 5000,
    live: Live = False,
) -> None:
    """Print the questions for a suspect, marks and controls alike, a line of JSON each.

    It holds inputs that tenants sent, and nothing of what they were answered.
    """
    from extproc.ownership.questions import written

    within = bounds(before, anchor)
    basis = _basis(log, key, (vault, vault_key), within, (model, questions, live))
    _print(written(basis.sheet))


@ownership.command()
def reveal(  # noqa: PLR0913, PLR0917 - an option each
    log: Log,
    key: Key,
    vault: VaultFiles,
    vault_key: VaultKey = None,
    before: Before = "",
    anchor: Anchor = None,
    model: Model = "",
    questions: Questions = 5000,
    live: Live = False,
) -> None:
    """Print the entries that are asked about, opened: a vault that needs no key.

    Whoever doubts a report verifies by it; it tells what tenants sent, what is marked, the keys by
    which embeddings are moved, and those of lists of texts.
    """
    from extproc.ownership import text_marks
    from extproc.ownership.evidence import chosen, gathered
    from extproc.ownership.vault_file import shown

    found, opened = both(log, key, (vault, vault_key), bounds(before, anchor), live=live)
    cells = chosen(gathered(found.counted, opened.entries, model), questions).values()
    entries = [cell.entry for each in cells for cell in each if cell.entry is not None]
    texts = text_marks.gathered(found.counted, opened.entries, model)
    _print(shown([*entries, *texts.entries]))


@ownership.command()
def ask(
    sheet: Annotated[Path, typer.Argument(help="From `sheet`.", show_default=False)],
    suspect: Annotated[str, typer.Option(help="A URL, or its YAML file.", show_default=False)],
    answers: Annotated[
        Path, typer.Option(help="Where answers are written; gone on with.", show_default=False)
    ],
    suspect_key: SuspectKey = "",
) -> None:
    """Ask a suspect the questions of a sheet: needs no secret of the owner's."""
    from extproc.ownership.questions import read_sheet
    from extproc.ownership.suspect import api

    found = api(suspect, suspect_key)
    if found is None:
        raise ConfigError(f"{suspect}: name a URL, or a YAML file that describes how it is asked")
    _ask(read_sheet(sheet), found, answers)


@ownership.command()
def verify(  # noqa: PLR0913, PLR0917 - an option each
    suspect: Annotated[
        str,
        typer.Option(
            help="A URL, a YAML file that describes how it is asked, or answers on record (JSONL).",
            show_default=False,
        ),
    ],
    log: Log,
    key: Key,
    vault: VaultFiles,
    sign: Sign,
    out: Out,
    vault_key: VaultKey = None,
    hmac: Hmac = None,
    before: Before = "",
    anchor: Anchor = None,
    model: Model = "",
    questions: Questions = 5000,
    clean: Clean = None,
    suspect_key: SuspectKey = "",
    live: Live = False,
    output: Output = "text",
) -> int:
    """Whose marks a suspect carries; exit code 1 where there are any.

    Writes report.json and report.html, signed, and answers.jsonl where it asks by itself: called
    again, it goes on where it was.
    """
    from extproc.ownership.page import page
    from extproc.ownership.report import to_json
    from extproc.ownership.sealing import read_key

    signing, within = read_key(sign), bounds(before, anchor)
    basis = _basis(log, key, (vault, vault_key), within, (model, questions, live), hmac)
    make(out)
    report = _made(basis, _said(suspect, suspect_key, basis, out), clean or [])
    write(out, signing, to_json(report), page(report))
    _show(report, out, output)
    return FOUND if report.found else 0


@ownership.command()
def check(
    report: Annotated[Path, typer.Argument(help="report.json or report.html.", show_default=False)],
    key: Annotated[Path, typer.Option(help="Who signed: a public key.", show_default=False)],
) -> int:
    """Whether a report is as it was signed; exit code 1 where it is not."""
    from extproc.auditor.files import public_keys
    from extproc.ownership.sealing import is_as_signed

    try:
        sealed = report.read_bytes()
    except OSError as error:
        raise ConfigError(f"{report}: {error.strerror}; name a report") from error
    [(name, public)] = public_keys([key]).items()
    good = is_as_signed(sealed, public)
    print(f"{report}: {'as' if good else 'NOT as'} {name} signed it")
    return 0 if good else FOUND


@ownership.command()
def schema(
    of: Annotated[Literal["verify", "texts"], typer.Option(help="Which command's.")] = "verify",
) -> None:
    """Print the JSON Schema of report.json."""
    from extproc.ownership.report import Report, json_schema
    from extproc.ownership.text_report import TextReport

    print(json_schema({"verify": Report, "texts": TextReport}[of], of), end="")


def _print(lines: "Iterable[bytes]") -> None:
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def bounds(before: str, anchor: list[str] | None) -> "Bounds":
    """What counts, by the options of that name."""
    from extproc.audit.verification import known_head
    from extproc.ownership.commitments import Bounds

    try:
        heads = tuple(known_head(each) for each in anchor or ())
    except ValueError as error:
        raise typer.BadParameter("--anchor is NUMBER:HASH, as audit verify prints it") from error
    try:
        day = datetime.fromisoformat(before) if before else None
    except ValueError as error:
        raise typer.BadParameter("--before is a time, as 2026-01-31T12:00 (UTC)") from error
    if day is not None and day.tzinfo is None:
        day = day.replace(tzinfo=UTC)
    return Bounds(heads, day)


def _basis(
    log: list[Path],
    key: list[Path],
    vault: tuple[list[Path], Path | None],
    within: "Bounds",
    of: tuple[str, int, bool],
    secret: Path | None = None,
) -> "Basis":
    """``of``: the model, how many questions at most, and whether the log is live."""
    from extproc.ownership.evidence import chosen, gathered
    from extproc.ownership.report import Basis

    model, most, live = of
    found, opened = both(log, key, vault, within, secret, live=live)
    evidence = gathered(found.counted, opened.entries, model)
    if not evidence.cells:
        raise ConfigError(
            "nothing that counts is committed to of labels or embeddings; see: extproc ownership"
            " commitments; of texts ask: extproc ownership texts"
        )
    return Basis(found, within, opened, evidence, chosen(evidence, most))


def both(
    log: list[Path],
    key: list[Path],
    vault: tuple[list[Path], Path | None],
    within: "Bounds",
    secret: Path | None = None,
    *,
    live: bool,
) -> "tuple[Committed, Opened]":
    """What the log commits to, and what the vault has."""
    from extproc.ownership.commitments import committed
    from extproc.ownership.drawn import drawn, read_secret
    from extproc.ownership.vault_file import open_vault, read_key

    found = committed(log, key, within, live=live)
    private = read_key(vault[1]) if vault[1] is not None else None
    opened = open_vault(vault[0], private)
    return found, opened if secret is None else drawn(opened, read_secret(secret))


def _made(basis: "Basis", suspect: "tuple[str, Answers]", clean: list[Path]) -> "Report":
    from extproc.ownership import answers
    from extproc.ownership.report import made

    known = {str(path): answers.read(path) for path in clean}
    return made(basis, suspect, known, datetime.now(UTC))


def _said(suspect: str, suspect_key: str, basis: "Basis", out: Path) -> "tuple[str, Answers]":
    """What the suspect is called, and what it said."""
    from extproc.ownership import answers
    from extproc.ownership.suspect import api

    found = api(suspect, suspect_key)
    if found is None:
        return Path(suspect).name, answers.read(Path(suspect))
    record = out / "answers.jsonl"
    _ask(basis.sheet, found, record)
    return found.url, answers.read(record)


def _ask(questions: "Sequence[Question]", api: "Api", record: Path) -> None:
    from extproc.ownership import asking

    def progress(turns: int, of: int) -> None:
        if turns % _TOLD < api.ask.batch or turns == of:
            print(f"{turns} of {of} questions asked", file=sys.stderr)

    asyncio.run(asking.ask(questions, api, record, progress))


def make(out: Path) -> None:
    """Raise ConfigError where there can be no such folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}; name a folder for the report") from error


def write(out: Path, signing: "Ed25519PrivateKey", report: bytes, page: bytes) -> None:
    """Both forms of a report, signed.  Raise ConfigError where they cannot be written."""
    from extproc.ownership.sealing import sealed_json, sealed_page

    try:
        (out / "report.json").write_bytes(sealed_json(report, signing))
        (out / "report.html").write_bytes(sealed_page(page, signing))
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}; name a folder for the report") from error


def _show(report: "Report", out: Path, output: str) -> None:
    from extproc.ownership import table
    from extproc.ownership.report import to_json

    if output == "json":
        print(to_json(report).decode())
    else:
        table.show(report)
        print(f"report: {out / 'report.html'}, {out / 'report.json'}")
