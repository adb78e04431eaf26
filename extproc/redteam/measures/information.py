"""How much an answer tells, in bits, as seen from outside.

Three numbers, from the least to the most: the entropy of the answers that came (of these
questions; corrected after Miller, 1955, "Note on the bias of information estimates"), the
logarithm of how many
different ones came, and the logarithm of how many could have come on the grid that was seen: how
many decimals, how many classes.  The last bounds what any questions can learn from one answer; a
thief who has data of the same kind needs few of these bits.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb, log, log2
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats

RAW_BITS: Final = 24
"""Of one number that is on no grid: the significand of IEEE 754's binary32."""
FINEST: Final = 6
"""Decimals of the finest grid that is looked for."""
_TOLERANCE: Final = 1e-6
"""Of a step; a score of double precision is off by a millionth of that."""
_FEW: Final = 16
_SEEN_OFTEN: Final = 50


@dataclass(frozen=True, slots=True)
class Grid:
    """What could have been said: ``kept`` of ``classes`` scores, in ``steps`` steps up to one.

    ``steps`` of zero: on no grid.  ``levels``: how many values there were, where these were few.
    """

    classes: int
    kept: int
    steps: int
    levels: int = 0

    @property
    def bits(self) -> float:
        """The logarithm of how many different answers it has."""
        if self.levels:
            return log2(self.classes * self.levels)
        if not self.steps:
            free = self.kept - (self.kept == self.classes)
            return RAW_BITS * free + log2(comb(self.classes, self.kept))
        return log2(codes(self.classes, self.kept, self.steps))


def labels(classes: int) -> Grid:
    """A label alone: all of one step on one class."""
    return Grid(classes, classes, 1)


def codes(classes: int, kept: int, steps: int) -> int:
    """Vectors of ``kept`` whole numbers, on any places, that a rounded distribution can be.

    They sum to ``steps`` where all are kept.  Otherwise what is missing lies on the others, none of
    which is above the least that was kept (or was, before both were rounded).
    """
    others = classes - kept
    total = 0
    for least in range(steps // kept + 1):
        floor = max(steps - others * (least + 1), 0) if others else steps
        total += _tuples(kept, least, floor, steps) - _tuples(kept, least + 1, floor, steps)
    return comb(classes, kept) * total


def _tuples(parts: int, least: int, low: int, high: int) -> int:
    """Tuples of so many numbers, none below ``least``, whose sum is in low..high."""
    free = high - parts * least
    below = low - 1 - parts * least
    upper = comb(free + parts, parts) if free >= 0 else 0
    return upper - (comb(below + parts, parts) if below >= 0 else 0)


def entropy(seen: Sequence[Hashable]) -> float:
    """Bits of one of these, with Miller's correction: (kinds - 1) / 2n nats."""
    count = len(seen)
    kinds = Counter(seen)
    plain = -sum(n / count * log2(n / count) for n in kinds.values())
    return plain + (len(kinds) - 1) / (2 * count) / log(2)


def distinct(answers: Answers) -> list[Hashable]:
    """Each answer that came, as something that is equal where the answers are."""
    rows = np.flatnonzero(answers.served)
    if answers.scores is None:
        return [int(answers.labels[row]) for row in rows]
    return [(int(answers.labels[row]), answers.scores[row].tobytes()) for row in rows]


def grid(answers: Answers, classes: int) -> Grid:
    """The coarsest grid that all scores lie on; where only labels came, that of labels."""
    if answers.scores is None:
        return labels(classes)
    scores = answers.scores[answers.served]
    scores = scores[~np.isnan(scores).any(axis=1)]
    if not len(scores):
        return labels(classes)
    steps = _steps(scores)
    whole = bool(np.all(np.abs(scores.sum(axis=1) - 1) < _slack(steps)))
    kept = classes if whole else int((scores != 0).sum(axis=1).max())
    values = len(np.unique(scores[scores != 0]))
    few = kept == 1 and values <= _FEW and len(scores) >= _SEEN_OFTEN * values
    return Grid(classes, max(kept, 1), steps, values if few else 0)


def _steps(scores: Floats) -> int:
    for digits in range(FINEST + 1):
        scaled = scores * 10**digits
        if np.all(np.abs(scaled - np.round(scaled)) < _TOLERANCE):
            return int(10**digits)
    return 0


def _slack(steps: int) -> float:
    """How far from one a sum may be: half a step, or what single precision loses."""
    return 0.5 / steps if steps else 1e-5
