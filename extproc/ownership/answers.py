"""What a suspect said, on record: a line of JSON for each question.

Rule: a line names its question, or has the input itself; the first answer to a question counts.
Labels and scores are both understood, and what is neither is no answer.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from extproc.auditor.files import lines
from extproc.errors import ConfigError
from extproc.ownership.questions import about

Said = Collection[str]
"""What the class that it says may be called: its name, its number, or both; never empty."""
Answers = Mapping[str, Said]
"""By question."""


class Recorded(Struct, frozen=True, omit_defaults=True):
    """A line: ``question`` or ``input``, and ``label`` or ``scores``; ``said`` where
    `extproc ownership ask` wrote it.
    """

    question: str = ""
    input: Any = msgspec.UNSET
    label: str | float | None = None
    """A class by its name, or by its number."""
    scores: Sequence[float] | Mapping[str, float] | None = None
    """Of the classes in their order from 0, or by their names."""
    said: Sequence[str] = ()
    """See Said."""
    suspect: str = ""
    """Who said so."""


_decode: Final = msgspec.json.Decoder(Recorded).decode


def read(path: Path) -> Answers:
    """Raise ConfigError where it cannot be read, or holds no answer."""
    found: dict[str, Said] = {}
    try:
        for number, raw in enumerate(lines(path), 1):
            line = _line(path, number, raw)
            said = tuple(line.said) or of(line.label, line.scores)
            if said:
                found.setdefault(_question(line), said)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name what the suspect said") from error
    if not found:
        raise ConfigError(f"{path}: it holds no answer; write label or scores in each line")
    return found


def digest(answers: Answers) -> str:
    """SHA-256 of them, in hexadecimal digits: what a report says that it judged."""
    plain = {question: sorted(said) for question, said in answers.items()}
    return sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def of(
    label: str | float | None,
    scores: Sequence[float] | Mapping[str, float] | None,
    labels: Sequence[str | int] = (),
) -> Said:
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


def _called(at: int, labels: Sequence[str | int]) -> Said:
    """The class at a place: its number, and its name where it has one."""
    name = labels[at] if at < len(labels) else at
    return (str(at), name) if isinstance(name, str) else (str(at),)


def _line(path: Path, number: int, raw: bytes) -> Recorded:
    try:
        return _decode(raw)
    except msgspec.MsgspecError as error:
        wrong = f"{path}:{number}: it is no answer"
        raise ConfigError(f"{wrong}; write question or input, and label or scores") from error


def _question(line: Recorded) -> str:
    if line.input is msgspec.UNSET or line.question:
        return line.question
    return about(line.input).question
