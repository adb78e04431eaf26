"""What a suspect is asked: the inputs of marks and of controls, as if they were all the same.

Rule: a sheet of questions tells nobody which of them are marks, nor whose: each is once on it, in
the order of digests of what is asked.  Whoever asks the suspect need not be trusted with more.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from extproc.auditor.files import lines
from extproc.errors import ConfigError


class Question(Struct, frozen=True):
    """A line of a sheet."""

    question: str
    """32 hexadecimal digits of what is asked."""
    input: Any
    """A text, a row of numbers, or as the API took it."""


def about(value: Any) -> Question:
    """Of an input as a dialect read it: of one tensor its row, without the tensor's name."""
    match value:
        case [[str() | None, list() as row]]:
            return Question(_digest(row), row)
        case _:
            return Question(_digest(value), value)


def written(questions: Iterable[Question]) -> Iterator[bytes]:
    """As JSON, a line each."""
    for question in questions:
        yield msgspec.json.encode(question) + b"\n"


def read_sheet(path: Path) -> list[Question]:
    """Raise ConfigError where it is none."""
    try:
        found = [msgspec.json.decode(raw, type=Question) for raw in lines(path)]
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wrong = f"{path}: it is no sheet of questions"
        raise ConfigError(f"{wrong}; make one with: extproc ownership sheet") from error
    return found


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:32]
