"""What is handed on of texts: what they prove, what it rests on, and what was committed to when.

Rule: it holds no text and no key; who has those can work it out again, and finds the digests of all
that went in.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from extproc.errors import ConfigError
from extproc.ownership.commitments import Bounds, Committed
from extproc.ownership.report import Log, Vault
from extproc.ownership.text_judging import LEVEL, TextJudged, carriers, judged
from extproc.ownership.text_marks import TextMarks
from extproc.ownership.vault_file import Opened

FORMAT: Final = 1
LARGEST: Final = 64 << 20
"""Octets of a file of texts."""


class Texts(Struct, frozen=True):
    """What was looked at."""

    name: str
    """Of its file."""
    texts: int
    characters: int
    digest: str
    """SHA-256 of the texts as JSON, in hexadecimal digits."""


class CleanTexts(Struct, frozen=True):
    """Texts that are known to be nobody's."""

    texts: Texts
    carries: Sequence[str]
    """What they carry nevertheless; these are no marks then."""


class TextReport(Struct, frozen=True, kw_only=True):
    format: Literal[1] = FORMAT
    made: datetime
    program: str = f"extproc {version('extproc')}"
    level: float = LEVEL
    """In bits: whoever is accused has a corrected p-value no greater."""
    suspects: Sequence[Texts]
    """Looked at all together."""
    log: Log
    vault: Vault
    clean: Sequence[CleanTexts]
    judged: Sequence[TextJudged]
    """All that was looked for, the least likely by chance first."""

    @property
    def found(self) -> list[TextJudged]:
        return [each for each in self.judged if each.verdict == "carries the marks"]


class TextBasis(Struct, frozen=True):
    """What everything rests on."""

    committed: Committed
    bounds: Bounds
    opened: Opened
    marks: TextMarks


def made(
    basis: TextBasis,
    suspects: Mapping[str, Sequence[str]],
    clean: Mapping[str, Sequence[str]],
    now: datetime,
) -> TextReport:
    """Of texts by the name of their file."""
    sought = basis.marks.sought
    said = [text for texts in suspects.values() for text in texts]
    found = judged(sought, said, list(clean.values()))
    whose = {name: carriers(sought, texts) for name, texts in clean.items()}
    return TextReport(
        made=now,
        suspects=[_texts(name, texts) for name, texts in suspects.items()],
        log=Log.of(basis.committed, basis.bounds),
        vault=Vault.of(basis.opened, basis.marks),
        clean=[
            CleanTexts(_texts(name, texts), [sought[number].name for number in whose[name]])
            for name, texts in clean.items()
        ],
        judged=found,
    )


def read(path: Path) -> list[str]:
    """The texts of a file: one, or of JSON lines one a line.  Raise ConfigError where it cannot be
    read, is too large, or holds no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigError(f"{path} has over {LARGEST >> 20} MiB; give a part of it")
        if path.suffix != ".jsonl":
            found = [content.decode()]
        else:
            lines = enumerate(content.splitlines(), 1)
            found = [_text(path, number, line) for number, line in lines if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        wrong = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise ConfigError(f"{path} cannot be read ({wrong}); name a file of texts") from error
    if not any(text.strip() for text in found):
        raise ConfigError(f"{path}: it holds no text; look whether the suspect answered")
    return found


def _text(path: Path, number: int, line: bytes) -> str:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = None
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str):
        remedy = "write a string in JSON, or an object that has one as text"
        raise ConfigError(f"{path}:{number}: it is no text; {remedy}")
    return text


def _texts(name: str, texts: Sequence[str]) -> Texts:
    digest = sha256(msgspec.json.encode(texts)).hexdigest()
    return Texts(name, len(texts), sum(map(len, texts)), digest)
