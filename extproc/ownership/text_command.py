"""``extproc ownership texts``: whose marks stand in texts, or in what a suspect model wrote.

Exit codes as of every command (``extproc --help``): 1 where there are any; 4 where a log is not
whole, a key does not open, or texts cannot be read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extproc.errors import ConfigError
from extproc.ownership.command import (
    FOUND,
    Anchor,
    Before,
    Hmac,
    Key,
    Live,
    Log,
    Model,
    Out,
    Output,
    Sign,
    VaultFiles,
    VaultKey,
    both,
    bounds,
    make,
    write,
)

if TYPE_CHECKING:
    from extproc.ownership.text_report import TextReport

Suspect = Annotated[
    list[Path],
    typer.Option(
        help="A text each; of JSON lines, one a line: a string, or an object's ``text``.",
        show_default=False,
    ),
]
Clean = Annotated[
    list[Path] | None,
    typer.Option(help="Texts of the same kind that are known to be nobody's."),
]


def texts(  # noqa: PLR0913, PLR0917 - an option each
    suspect: Suspect,
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
    clean: Clean = None,
    live: Live = False,
    output: Output = "text",
) -> int:
    """Whose green lists and canaries stand in texts; exit code 1 where there are any.

    Writes report.json and report.html, signed.
    """
    from extproc.ownership.report import to_json
    from extproc.ownership.sealing import read_key
    from extproc.ownership.text_marks import gathered
    from extproc.ownership.text_page import page
    from extproc.ownership.text_report import TextBasis, made

    signing, within = read_key(sign), bounds(before, anchor)
    said, known = _read(suspect), _read(clean or ())
    found, opened = both(log, key, (vault, vault_key), within, hmac, live=live)
    marks = gathered(found.counted, opened.entries, model)
    if not marks.sought:
        raise ConfigError("nothing that counts is committed to of texts; see: docs/ownership.md")
    make(out)
    report = made(TextBasis(found, within, opened, marks), said, known, datetime.now(UTC))
    write(out, signing, to_json(report), page(report))
    _show(report, out, output)
    return FOUND if report.found else 0


def _read(paths: Sequence[Path]) -> dict[str, list[str]]:
    """By the name of the file; those of one name together."""
    from extproc.ownership.text_report import read

    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.name, []).extend(read(path))
    return found


def _show(report: "TextReport", out: Path, output: str) -> None:
    from extproc.ownership import table
    from extproc.ownership.report import to_json

    if output == "json":
        print(to_json(report).decode())
    else:
        table.show_texts(report)
        print(f"report: {out / 'report.html'}, {out / 'report.json'}")
