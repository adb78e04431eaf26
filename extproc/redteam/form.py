"""The form of answers: how much they tell, whatever they say.

Rule: a gateway that lowers fidelity in silence says nothing, but its answers have another form from
then on: no scores, fewer of them above zero, fewer decimals, narrower or coarser vectors.  One
answer may look poor by chance (a sure model says 1 and nothing else), so a form is that of a whole
reply, and two that differ in number alone count as alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats, Vectors

LEAST: Final = 10
"""Inputs of a reply whose form is taken for that of the policy: of fewer, chance says too much."""
TAIL: Final = 200
"""Inputs answered in a lower form, and none in a fuller one after them, that are no chance."""
_EXACT: Final = 6
"""Decimals from which on a score counts as unrounded."""
_LEVELS: Final = 256
"""Distinct values of a vector's numbers, above which they count as unrounded."""


class Grain(IntEnum):
    """How fine the numbers of a reply are; coarser ones are less."""

    NONE = 0
    LABEL = 1
    """One and zero, or a sign."""
    ROUNDED = 2
    EXACT = 3


@dataclass(frozen=True, slots=True)
class Form:
    """Of one reply about ``count`` inputs."""

    grain: Grain
    width: int
    """Dimensions of vectors; of scores 0, since how many are above zero depends on the input."""
    count: int

    def below(self, other: "Form") -> bool:
        """Whether it tells less than another."""
        return self.grain < other.grain or self.width < other.width


def of_answers(answers: Answers) -> Form:
    """Of a classifier's reply, of which all or nothing was served."""
    return Form(_of_scores(answers.scores), 0, len(answers))


def of_vectors(vectors: Vectors) -> Form:
    """Of an embedding model's reply, of which all or nothing was served."""
    return Form(_of_levels(vectors.values), vectors.values.shape[1], len(vectors))


def served_before_change(forms: Sequence[Form]) -> int | None:
    """How many inputs had been answered in the fullest form, where all others came in lower ones.

    ``forms`` stand in the order of the requests.  None where nothing changed for good.  Of requests
    that are under way together any may be the first that is answered in the lower form: counted are
    those that were not.
    """
    telling = [form for form in forms if form.count >= LEAST]
    full = [not any(form.below(other) for other in telling) for form in telling]
    if all(full):
        return None
    last = max(place for place, each in enumerate(full) if each)
    if sum(form.count for form in telling[last + 1 :]) < TAIL:
        return None
    return sum(form.count for form, each in zip(telling, full, strict=True) if each)


def _of_scores(scores: Floats | None) -> Grain:
    if scores is None:
        return Grain.NONE
    if np.all((scores == 0) | (scores == 1)):
        return Grain.LABEL
    exact = np.abs(scores - scores.round(_EXACT)).max() > 0
    return Grain.EXACT if exact else Grain.ROUNDED


def _of_levels(values: Floats) -> Grain:
    levels = max(len(np.unique(row)) for row in values[:LEAST])
    if levels <= 2:
        return Grain.LABEL
    return Grain.EXACT if levels > _LEVELS else Grain.ROUNDED
