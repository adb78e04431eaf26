"""One cell of a table of predictions: what a model said of one input, of a kind the route declares.

Rule: an API that lets every model answer in its own shape does not say what a number means, so the
route does, and a cell that does not hold what was declared makes the answer unreadable.  How deep
a cell is nested is the model's own affair: a vector is an innermost array, a score is a number.
"""

import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import is_
from typing import Final, Literal

import msgspec
import numpy as np

from extproc.dialects.gathered import Gathered
from extproc.dialects.mutation import Edit
from extproc.dialects.shape import ABSENT, Gate, Items, Json, Node, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Prediction, Probabilities, Score, Vector

CellKind = Literal["probabilities", "score", "embedding", "label", "text", "tensor"]
VectorKind = Literal["probabilities", "embedding"]

_DEPTH: Final = 32
# Of what float32 holds (3.4e38), less than any mutator's arithmetic can carry out of it.
_LARGEST: Final = 1e30
# Triton and others hide scores in strings: "0.93:281:tabby".
_SCORED: Final = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?:\d+(:|$)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?e[-+]?\d+)\s*", re.IGNORECASE)


def cell(kind: CellKind) -> Node:
    """The tree of a cell; a tier that does not name its kind drops it unread."""
    return Gate(kind, Cell(kind))


def column(kind: CellKind) -> Node:
    """The tree of an array of cells, one for each input."""
    return Gate(kind, rows(kind, each=True))


def rows(kind: CellKind, *, each: bool) -> Node:
    """An array of cells; ``each``: one for each input."""
    items = Items(Cell(kind), each)
    return Gathered(items) if kind == "embedding" else items


@dataclass(frozen=True, slots=True)
class Cell:
    """A scalar, or arrays of them, where the tier names the kind."""

    kind: CellKind

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        after = _nested(value, self._leaf(run.edit(self.kind), place), place)
        run.told.pass_whole(self.kind, value)
        return run.drop(place) if after is ABSENT else after

    def _leaf(self, edit: Edit, place: str) -> Callable[[Json], Json]:
        """What becomes of an innermost array, or of a scalar."""
        match self.kind:
            case "probabilities" | "embedding":
                return partial(_vector, self.kind, edit=edit, place=place)
            case "score":
                return partial(_scores, edit=edit, place=place)
            case "label":
                return partial(_checked, check_labels, place=place)
            case "text":
                return partial(_checked, _check_text, place=place)
            case "tensor":
                return partial(_checked, _check_scalars, place=place)


def _nested(value: Json, leaf: Callable[[Json], Json], place: str, depth: int = _DEPTH) -> Json:
    """The value with every innermost array exchanged; ABSENT where one of them is taken out."""
    if not (isinstance(value, list) and value and isinstance(value[0], list)):
        return leaf(value)
    if not depth:
        raise UpstreamError(f"{place} is nested too deeply")
    after = [_nested(item, leaf, place, depth - 1) for item in value]
    if all(map(is_, after, value)):
        return value
    return ABSENT if any(item is ABSENT for item in after) else after


def _vector(kind: VectorKind, value: Json, edit: Edit, place: str) -> Json:
    if value == []:
        return value
    before = numbers(value, place)
    after = edited(kind, before, edit, place)
    if after is before:
        return value
    return ABSENT if after is None else written(kind, after)


def flat(value: list[Json]) -> list[Json]:
    """What arrays in arrays hold, rewritten or not, without the arrays."""
    while value and isinstance(value[0], list | np.ndarray):
        value = list(chain.from_iterable(value))
    return [item.item() if isinstance(item, np.generic) else item for item in value]


def numbers(value: Json, place: str) -> Vector:
    """Shape (n,): a JSON array of finite numbers and nothing else."""
    try:
        floats = msgspec.convert(value, list[float])
    except msgspec.ValidationError as error:
        raise UpstreamError(f"{place} is not an array of numbers") from error
    # A third of the time that np.array takes to read a list.
    vector = np.frombuffer(struct.pack(f"{len(floats)}d", *floats), np.float64)
    if vector.size and not np.abs(vector).max() <= _LARGEST:
        raise UpstreamError(f"{place} holds numbers that are too large")
    return vector


def edited(kind: VectorKind, before: Vector, edit: Edit, place: str) -> Vector | None:
    """The vector at its tier: itself where nothing changed, None where it is withheld."""
    prediction: Prediction
    if kind == "probabilities":
        check_probabilities(before, place)
        prediction = Probabilities(before)
    else:
        prediction = Embedding(before)
    match edit(prediction):
        case None:
            return None
        case Probabilities(values, None) | Embedding(values):  # what is hidden has no place here
            return values
        case _:
            raise TypeError(f"a mutator changed the kind of {kind}")


def check_probabilities(values: Vector, place: str) -> None:
    """Raise UpstreamError unless each is a probability, and together they are at most 1."""
    # float32 models miss a sum of 1 by a few thousandths at worst.
    if not ((values >= 0).all() and (values <= 1.001).all() and values.sum() <= 1.01):
        raise UpstreamError(f"{place} is declared probabilities and holds other numbers")


def written(kind: VectorKind, values: Vector) -> Json:
    """As it is sent: an embedding keeps the precision that models have, no more."""
    return values.astype(np.float32) if kind == "embedding" else values


def score(value: float, edit: Edit) -> float | None:
    """A score at its tier, the same object where nothing changed."""
    before = Score(float(value))
    match edit(before):
        case None:
            return None
        case Score(after):
            return value if after == before.value else after
        case _:
            raise TypeError("a mutator changed the kind of a score")


def _scores(value: Json, edit: Edit, place: str) -> Json:
    items = value if isinstance(value, list) else [value]
    if not set(map(type, items)) <= {int, float}:
        raise UpstreamError(f"{place} is declared score and holds other values")
    after = [score(item, edit) for item in items]
    if all(map(is_, after, items)):
        return value
    if any(item is None for item in after):
        return ABSENT
    return after if isinstance(value, list) else after[0]


def _checked(check: Callable[[Iterable[Json], str], None], value: Json, place: str) -> Json:
    check(value if isinstance(value, list) else [value], place)
    return value


def check_labels(items: Iterable[Json], place: str) -> None:
    """Raise UpstreamError unless each is a class's name or index; never one with a score in it."""
    for item in items:
        match item:
            case str():
                if _SCORED.match(item) or _NUMBER.fullmatch(item):
                    raise UpstreamError(f"{place} hides scores in its labels")
            case bool() | int():
                pass
            case float() if item.is_integer():
                pass  # an index: scikit-learn and XGBoost write 7.0
            case _:
                raise UpstreamError(f"{place} is declared label and holds other values")


def _check_text(items: Iterable[Json], place: str) -> None:
    if not set(map(type, items)) <= {str}:
        raise UpstreamError(f"{place} is declared text and holds other values")


def _check_scalars(items: Iterable[Json], place: str) -> None:
    if not set(map(type, items)) <= {str, int, float, bool}:
        raise UpstreamError(f"{place} is declared tensor and holds other values")
