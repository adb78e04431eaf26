"""How sure a model is, as APIs write it: a score, a list of probabilities, labels with scores.

Rule: a list of labels with their scores is one prediction.  Which label stands before which tells
what the scores told, so what a mutator takes out leaves the list, and where mutators change which
is larger, the list changes with them.  One label alone (``label_only``) keeps the score that the
mutator gave it, which is 1: clients read a number there.  Where only ``label`` is granted, the top
label stays, and its score is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np

from extproc.dialects.hidden import OTHER, hidden
from extproc.dialects.mutation import Edit
from extproc.dialects.shape import ABSENT, Json, Leaf, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Probabilities, Score, Vector

# float32 models miss a sum of 1 by a few thousandths at worst.
_LARGEST: Final = 1.001
_LARGEST_SUM: Final = 1.01


def score(value: Json, edit: Edit, place: str) -> Json:
    """A codec of one number."""
    if type(value) not in (int, float):
        raise UpstreamError(f"{place} is not a number")
    after = edit(before := Score(float(value)))
    if after is before:
        return value
    if after is None:
        return ABSENT
    if not isinstance(after, Score):
        raise TypeError(f"a mutator made {type(after).__name__} of a score")
    return after.value


def probabilities(value: Json, edit: Edit, place: str) -> Json:
    """A codec of an array with one number per class."""
    before = distribution(value, place)
    after = edited(before, edit)
    if after is None:
        return ABSENT
    if after.other is not None:
        raise TypeError("what is hidden has no place among numbers without names")
    return value if after.values is before else after.values.tolist()


def distribution(value: Json, place: str) -> Vector:
    """Shape (classes,).  Raise UpstreamError for what is none: logits, above all."""
    try:
        values = np.array(msgspec.convert(value, list[float]), np.float64)
    except msgspec.ValidationError as error:
        raise UpstreamError(f"{place} is not an array of numbers") from error
    if values.size and not (
        values.min() >= 0 and values.max() <= _LARGEST and values.sum() <= _LARGEST_SUM
    ):
        raise UpstreamError(f"{place} does not hold probabilities")
    return values


def edited(before: Vector, edit: Edit) -> Probabilities | None:
    """What the edit makes of it: the same values where they did not change, None where it is
    dropped.
    """
    after = edit(Probabilities(before))
    if isinstance(after, Probabilities | None):
        return after
    raise TypeError(f"a mutator made {type(after).__name__} of probabilities")


SCORE: Final = Leaf("score", score, nulled=True)
PROBABILITIES: Final = Leaf("probabilities", probabilities, nulled=True)


@dataclass(frozen=True, slots=True)
class ScoredLabels:
    """``[{"label": ..., "score": ...}, ...]``: each class once, with its probability."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        read = _entries(value, place)
        known = _known(value, run, place)
        before = distribution([entry.score for entry in read], place)
        if not before.size:
            return known
        after = _after(read, before, run)
        if after is None:
            run.drop(f"{place}[].score")
            entries = [{**known[int(before.argmax())], "score": None}]
            _count_names(run, 1, before.size, scored=False)
        else:
            other = hidden(after, (entry.label for entry in read), place)
            entries = known if after.values is before else _listed(known, before, after.values)
            _count_names(run, len(entries), before.size, scored=True)
            if other:
                entries = [*entries, {**known[0], "label": OTHER, "score": other}]
        return _labelled(entries, run, place, scored=after is not None)


def _after(read: Sequence[Any], before: Vector, run: Rewrite) -> Probabilities | None:
    run.told.name([[entry.label] for entry in read])
    if "probabilities" in run.edits:
        return edited(before, run.edit("probabilities"))
    run.told.notice(Probabilities(before))
    return None


def _count_names(run: Rewrite, shown: int, of: int, *, scored: bool) -> None:
    if "label" in run.edits:
        run.told.count_names(shown, of, scored=scored)


def _labelled(entries: list[Any], run: Rewrite, place: str, *, scored: bool) -> list[Any]:
    """Without the labels, where they do not pass; nothing where no scores are left either."""
    if "label" in run.edits:
        return entries
    run.drop(f"{place}[].label")
    return [{"score": entry["score"]} for entry in entries] if scored else []


def _listed(entries: list[Any], before: Vector, after: Vector) -> list[Any]:
    """What is left, in the server's order; by the new scores where it went by the old ones."""
    left = [
        {**entry, "score": number}
        for entry, number in zip(entries, after.tolist(), strict=True)
        if number
    ]
    if all(a >= b for a, b in pairwise(before)):
        left.sort(key=lambda entry: -entry["score"])
    return left


class _Entry(msgspec.Struct):
    label: str
    score: float


def _entries(value: Json, place: str) -> list[_Entry]:
    try:
        return msgspec.convert(value, list[_Entry])
    except msgspec.ValidationError as error:
        raise UpstreamError(f"{place} is not an array of labels with scores") from error


def _known(entries: list[Any], run: Rewrite, place: str) -> list[Any]:
    """Without what else stands beside label and score."""
    unknown = sum(map(len, entries)) - len(_NAMES) * len(entries)
    if not unknown:
        return entries
    for _ in range(unknown):
        run.drop(f"{place}[].*")
    return [{name: entry[name] for name in entry if name in _NAMES} for entry in entries]


_NAMES: Final = frozenset({"label", "score"})
