"""What a suspect said, on record: a line of JSON for each question.

Rule: a line names its question, or has the input itself; the first answer to a question counts.
Labels, scores and embeddings are understood, and what is none of them is no answer.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np
from msgspec import Struct

from extproc.auditor.files import lines
from extproc.errors import ConfigError
from extproc.marks.positions import MOST
from extproc.ownership.questions import about
from extproc.prediction import Vector

Names = Collection[str]
"""What a class may be called: its name, its number, or both; of no class empty."""
Said = Names | Vector
"""The class that it says, or an embedding; where it is neither, empty names."""
Answers = Mapping[str, Said]
"""By question."""


class Recorded(Struct, frozen=True, omit_defaults=True):
    """A line: ``question`` or ``input``, and ``label``, ``scores`` or ``embedding``; ``said`` where
    `extproc ownership ask` wrote it.
    """

    question: str = ""
    input: Any = msgspec.UNSET
    label: str | float | None = None
    """A class by its name, or by its number."""
    scores: Sequence[float] | Mapping[str, float] | None = None
    """Of the classes in their order from 0, or by their names."""
    embedding: Sequence[float] | None = None
    said: Sequence[str] = ()
    """See Names."""
    suspect: str = ""
    """Who said so."""

    @classmethod
    def of(cls, question: str, said: Said, suspect: str) -> Self:
        """To be written down."""
        if isinstance(said, np.ndarray):
            return cls(question=question, embedding=said.tolist(), suspect=suspect)
        return cls(question=question, said=tuple(said), suspect=suspect)


_decode: Final = msgspec.json.Decoder(Recorded).decode


def read(path: Path) -> Answers:
    """Raise ConfigError where it cannot be read, holds no answer, or what several said."""
    found: dict[str, Said] = {}
    whose = set[str]()
    try:
        for number, raw in enumerate(lines(path), 1):
            line = _line(path, number, raw)
            whose.add(line.suspect)
            said = _said(line)
            if len(said):
                found.setdefault(_question(line), said)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name what the suspect said") from error
    if len(whose) > 1:
        named = " and ".join(name or "nobody named" for name in sorted(whose)[:2])
        raise ConfigError(f"{path}: it holds what {named} said; keep a file for each")
    if not found:
        raise ConfigError(
            f"{path}: it holds no answer; write label, scores or embedding in each line"
        )
    return found


def digest(answers: Answers) -> str:
    """SHA-256 of them, in hexadecimal digits: what a report says that it judged."""
    plain = {
        question: said.tolist() if isinstance(said, np.ndarray) else sorted(said)
        for question, said in answers.items()
    }
    return sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def of(
    label: str | float | None,
    scores: Sequence[float] | Mapping[str, float] | None,
    labels: Sequence[str | int] = (),
) -> Names:
    """Empty where there is neither; a label is believed before scores.

    ``labels``: what it calls the classes, in their order from 0, where it names them.
    """
    if label is None and isinstance(scores, Mapping) and scores:
        label = max(scores, key=scores.__getitem__)
    elif label is None and isinstance(scores, Sequence) and scores:
        return _called(scores.index(max(scores)), labels)
    if label is None:
        return ()
    if isinstance(label, float) and label.is_integer():  # of a tensor of floats
        label = int(label)
    return _called(labels.index(label), labels) if label in labels else (str(label),)


def names(said: Said) -> Names:
    """Of a class; empty where it said none."""
    return () if isinstance(said, np.ndarray) else said


def vector(values: Sequence[float]) -> Said:
    """An embedding, of which the first components count that marks may be in; empty where it is
    none.  Raise ValueError or TypeError where it is not of numbers.
    """
    found = np.asarray(values, np.float64).ravel()[:MOST]
    return found if found.size and np.isfinite(found).all() else ()


def _said(line: Recorded) -> Said:
    if line.embedding is not None:
        return vector(line.embedding)
    return tuple(line.said) or of(line.label, line.scores)


def _called(at: int, labels: Sequence[str | int]) -> Names:
    """The class at a place: its number, and its name where it has one."""
    name = labels[at] if at < len(labels) else at
    return (str(at), name) if isinstance(name, str) else (str(at),)


def _line(path: Path, number: int, raw: bytes) -> Recorded:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wrong = f"{path}:{number}: it is no answer"
        raise ConfigError(
            f"{wrong}; write question or input, and label, scores or embedding"
        ) from error


def _question(line: Recorded) -> str:
    if line.input is msgspec.UNSET or line.question:
        return line.question
    return about(line.input).question
