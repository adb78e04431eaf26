"""The marks of one exchange: which of its inputs are stamped, and what was said of them.

Rule: an input is looked at when the request has been read, since the answer comes without it; of
all but the few that are stamped nothing is kept.  What could not be committed to is not marked:
inputs that are too large to be kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from msgspec import Struct

from extproc.canonical import Shared, Steps
from extproc.draw import Draw
from extproc.marks.cells import Cells
from extproc.marks.contenders import Class, Names, called, contenders
from extproc.marks.ending import Ending
from extproc.marks.positions import MOST as COMPONENTS
from extproc.marks.stamps import Stamp, name, stamp
from extproc.prediction import Embedding, Prediction, Probabilities, Vector

LARGEST: Final = 64 << 10
"""Octets of an input, as JSON."""
MOST: Final = 1 << 20
"""Octets of all that are kept of one request."""
_TURN: Final = 512
"""Cells that are stamped before others have their turn: some 2 ms."""
_Edit = Callable[[Prediction], Prediction | None]


class Moved(Struct, frozen=True):
    """A vector that was moved, as the model itself says it, and by what it was."""

    key: str
    """64 hexadecimal digits: see positions.secret.  It is of the key epoch, of whoever it is for
    and of the model, and tells of no other key."""
    strength: float
    vector: bytes
    """Little-endian float32, of the components that may be moved."""


class Finding(Struct, frozen=True):
    """One cell that was answered."""

    stamp: Stamp
    cell: str
    """See stamps.name."""
    input: bytes
    """JSON, as the dialect read it."""
    truth: Class
    """What the model says it is; of texts, and of an embedding, nothing."""
    other: Class
    """What it says next; in a cell that is marked, what was served as the likeliest.  Of a canary,
    the reference that stood behind the answer; of a list or a processor, its key; of an embedding
    nothing."""
    moved: Moved | None = None
    """Of an embedding alone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An input whose embedding is committed to: see keeping.py."""

    cell: str
    """See stamps.name."""
    input: bytes
    key: str = field(repr=False)
    strength: float


@dataclass(frozen=True, slots=True)
class Stamped:
    """An input whose answer is a mark or a control."""

    stamp: Stamp
    cell: Draw
    input: bytes


@dataclass(slots=True)
class Planted:
    """A canary of one answer."""

    ending: Ending
    finding: Finding


@dataclass(slots=True)
class Marking:
    """Of one exchange."""

    stamped: dict[int, Stamped]
    """By the number of the input; each until it has been answered."""
    protected: frozenset[Class]
    single: bool
    """Whether there is one input alone, which all of the answer is about."""
    planted: Planted | None = None
    """What is to stand behind its text, until it does."""
    kept: dict[int, Kept] = field(default_factory=dict)
    """By the number of the input; each until it has been answered."""
    cells: Mapping[int, Draw] = field(init=False)
    """See draw.Draws; not what is left of them, since an answer may say something twice."""
    findings: list[Finding] = field(default_factory=list)
    alike: bool = False
    """Whether each answer is written as if it had been changed, so that none shows that it was.
    Of texts none is: whether a word is planted must not show where the answer is cut off before."""

    def __post_init__(self) -> None:
        self.cells = {number: each.cell for number, each in self.stamped.items()}

    @property
    def size(self) -> int:
        """Octets that are kept."""
        planted = len(self.planted.finding.input) if self.planted is not None else 0
        stamped = sum(len(each.input) for each in self.stamped.values())
        return planted + stamped + sum(len(each.input) for each in self.kept.values())

    def forget(self) -> None:
        """Let go of inputs that were not answered."""
        self.stamped.clear()
        self.kept.clear()
        self.planted = None

    def closing(self) -> str:
        """The text has come to its end: what stands behind it, which is noted."""
        planted, self.planted = self.planted, None
        if planted is None or not planted.ending.close():
            return ""
        self.findings.append(planted.finding)
        return planted.ending.words

    def noting(self, at: int | None, names: Names, edit: _Edit) -> _Edit:
        """The edit of the answer to this input, which is noted where it is stamped, or kept."""
        number = 0 if at is None and self.single else at
        if number is None or (number not in self.stamped and number not in self.kept):
            return edit

        def noted(prediction: Prediction) -> Prediction | None:
            after = edit(prediction)
            if after is None:
                return None
            if isinstance(prediction, Probabilities):
                self._note(number, prediction, names)
            elif isinstance(prediction, Embedding):
                self._note_vector(number, prediction.values)
            return after

        return noted

    def _note(self, number: int, prediction: Probabilities, names: Names) -> None:
        both = contenders(prediction.values, names, self.protected)
        found = self.stamped.pop(number, None)
        if both is None or found is None:
            return
        truth, other = (called(at, names) for at in both)
        cell = name(found.cell)
        self.findings.append(Finding(found.stamp, cell, found.input, truth, other))

    def _note_vector(self, number: int, values: Vector) -> None:
        found = self.kept.pop(number, None)
        if found is not None and values.any():  # of zeros nothing is moved
            vector = values[:COMPONENTS].astype("<f4").tobytes()
            moved = Moved(found.key, found.strength, vector)
            self.findings.append(Finding("embedding", found.cell, found.input, "", "", moved))


@dataclass(frozen=True, slots=True)
class Marks:
    """How the answers of one model are marked for one cohort, or tenant without one."""

    cells: Cells
    draw: Draw
    """Of the key epoch, and of whoever it is for."""
    rate: float
    protected: frozenset[Class] = frozenset()

    def marking(self, model: str, inputs: Sequence[Any]) -> Steps[Marking]:
        """Of one request, in steps between which others have their turn."""
        of_model, stamped, left = self.draw.child(b"model " + model.encode()), {}, MOST
        every = list(inputs)
        cells = yield from self.cells.all(every)
        for number, cell in enumerate(cells):
            if number and number % _TURN == 0:
                yield
            drawn = of_model.child(b"cell " + cell)
            fate = stamp(drawn, self.rate)
            kept = written(every[number]) if fate is not None else None
            if fate is not None and kept is not None and len(kept) <= left:
                left -= len(kept)
                stamped[number] = Stamped(fate, drawn, kept)
        return Marking(stamped, self.protected, len(every) == 1, alike=True)


def written(value: Any) -> bytes | None:
    """An input as it is kept; None where it is too large, or holds what no JSON does."""
    try:
        kept = orjson.dumps(value, _plain, orjson.OPT_PASSTHROUGH_DATACLASS)
    except (orjson.JSONEncodeError, RecursionError):
        return None
    return kept if len(kept) <= LARGEST else None


def _plain(value: Any) -> Any:
    match value:
        case Shared():
            return value.value
        case bytes() if len(value) % 8 == 0:  # a row of a tensor
            return np.frombuffer(value, "<f8").tolist()
        case _:
            raise TypeError
