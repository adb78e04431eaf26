"""Votes of an ensemble in an answer: a row for each input, and in each as many as it has members.

Rule: what is answered privately is private only if each member has one vote, so rows are held to
that: whole numbers, none below 0, that add up to the number of members which the route declares.
What is answered about an input is paid for before the model is asked, so that a row which answers
no input, or answers one again, makes the answer unreadable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from extproc.dialects.answers import Steps
from extproc.dialects.shape import ABSENT, Json, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Counts, Kind, Votes

MOST: Final = 1_000_000
"""Members of an ensemble, or classes, at most."""
DATATYPES: Final = {"INT32": "<i4", "INT64": "<i8"}
"""Of tensors that may hold votes, with their raw form."""
_KEPT: Final = frozenset({"name", "shape", "datatype", "data"})
_STEP: Final = 8_000
"""Counts that are answered about before others have their turn: some 2 ms at most."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes about one input, as the tier lets them pass; another sum than the route declares makes
    the answer unreadable, and so does another number of classes: a row that ends with the last
    class anybody chose would tell which that is.
    """

    teachers: int | None
    classes: int = 0
    """0 where the route does not say."""
    kind: Kind = "votes"

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if "votes" not in run.edits:
            return run.drop(place)
        if run.at is None or (run.inputs is not None and run.at >= run.inputs):
            raise UpstreamError(f"{place} is of no input")
        before = counts(value if isinstance(value, list) else None, place)
        if before.size != (self.classes or before.size):
            raise UpstreamError(f"{place} does not hold a count for each class")
        after = voted(before, self.teachers, run, place)
        if after is None:
            return run.drop(place)
        return value if after is before else after.tolist()


def counts(values: list[Any] | None, place: str) -> Counts:
    """Shape (classes,): whole numbers that stand in JSON.  Raise UpstreamError."""
    if not values or set(map(type, values)) != {int} or len(values) > MOST:
        raise UpstreamError(f"{place} is declared votes and holds other values")
    try:
        return np.array(values, np.int64)
    except OverflowError as error:
        raise UpstreamError(f"{place} is declared votes and holds other values") from error


def voted(before: Counts, teachers: int | None, run: Rewrite, place: str) -> Counts | None:
    """What passes of one row: itself where nothing changed, None where it is dropped."""
    values = before.tolist()
    if min(values) < 0 or sum(values) != teachers:
        raise UpstreamError(f"{place} does not hold one vote of each member")
    match run.edit("votes")(Votes(before)):
        case None:
            return None
        case Votes(after):
            return after
        case _:
            raise TypeError("a mutator changed the kind of votes")


def form_of_votes(datatype: str, place: str) -> str:
    """The raw form of a tensor of votes.  Raise UpstreamError where it can hold none."""
    if datatype not in DATATYPES:
        raise UpstreamError(f"{place} is declared votes and holds {datatype}")
    return DATATYPES[datatype]


def tallied(
    values: Counts, shape: Sequence[int], teachers: int | None, run: Rewrite, place: str
) -> Steps[Counts | None]:
    """The rows of a tensor that may pass, shape (rows, classes); ``values`` itself where nothing
    changed, None where they are dropped.  Raise UpstreamError where they are not one for each
    input.
    """
    height = shape[0] if len(shape) == 2 else 1
    fits = len(shape) in {1, 2} and run.inputs in {None, height} and 0 < shape[-1] <= MOST
    if not fits:
        raise UpstreamError(f"{place} does not hold a row of votes for each input")
    rows, edited = [*values.reshape(height, shape[-1])], list[Counts]()
    step, run_at = max(1, _STEP // shape[-1]), run.at
    for number, row in enumerate(rows):
        if number and not number % step:
            yield
        run.at = number
        after = voted(row, teachers, run, place)
        run.at = run_at
        if after is None:
            return None
        edited.append(after)
    if all(after is row for after, row in zip(edited, rows, strict=True)):
        return values
    return np.stack(edited)


def listed(
    tensor: dict[str, Json], elements: list[Any], teachers: int | None, run: Rewrite, place: str
) -> Steps[Json]:
    """A tensor of votes in JSON, as KServe writes it: ABSENT where it is dropped."""
    same = tensor
    if len(tensor) > len(_KEPT):
        same = {name: tensor[name] for name in tensor if name in _KEPT}
    if not elements:
        return same
    before = counts(elements, place)
    rows = yield from tallied(before, tensor["shape"], teachers, run, place)
    if rows is None or rows is before:
        return ABSENT if rows is None else same
    nested = isinstance(tensor["data"][0], list)
    return {**same, "data": rows.reshape(tensor["shape"] if nested else -1).tolist()}


@dataclass(frozen=True, slots=True)
class Declared:
    """What the route declares word for word; anything else makes the answer unreadable."""

    values: tuple[str, ...]

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not self.values:
            return run.drop(place)
        if value != [*self.values]:
            raise UpstreamError(f"{place} is not what the route declares")
        return value
