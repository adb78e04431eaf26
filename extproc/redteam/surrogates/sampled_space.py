"""The space of a language model's logits, from tokens that it was made to draw.

Rule: two kinds of evidence, and nothing in between.  Of a token that was drawn an API may tell the
log probability: contexts and tokens of which every pair is known are a part of the matrix of log
probabilities, and once that part is larger than the hidden state its rank is the hidden size
(Finlayson, Ren, Swayamdipta, 2024, "Logits of API-Protected LLMs Leak Proprietary Information",
COLM, section 3; any part that is large enough has the same rank).  Where nothing is told, how often
a token is drawn is an estimate of its probability: the logarithms of counts are logits with noise,
and what stands out of the noise is a space of fewer dimensions.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Bools, Floats, Ints
from extproc.redteam.surrogates.output_space import NONE, Space, centred

_FLOOR: Final = 1_024 * np.finfo(np.float64).eps
"""Of the largest singular value; what is below is rounding of floats."""
_GAP: Final = 1.5
"""How far the last dimension must stand above noise for the space to end there."""
_SPARE: Final = 2
"""So many times the columns wanted are looked at."""
_SURE: Final = 1.25
"""Through noise, a space is believed in a part that has so many rows for each dimension: in a
smaller one the last dimension is easily as small as noise."""
_STEPS: Final = 3
"""Values that must differ before anything is said of how far apart they lie."""
_MOSTLY: Final = 0.95
_PRIOR: Final = 300.0
"""Draws that the frequencies over all contexts count as: a few draws of one context tell little
of a token that did not come."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of the logits of m tokens."""

    space: Space
    common: Floats
    """The direction [m], of length 1, that frequencies over all contexts have."""
    hidden: int = 0
    """The hidden size, 0 where ``space`` may be only a part of it."""

    def energy(self, rows: Floats) -> float:
        return self.space.energy(rows) if self.space.size else 0.0

    def gain(self, rows: Floats) -> float:
        """How much of what is lacking to a space as large, of ``common`` and directions at random,
        this one has: 1 is all, 0 or less is nothing.
        """
        if not self.space.size:
            return 0.0
        one = Space(1, self.common[:, None]).energy(rows)
        free = len(self.common) - 2
        chance = one + (1 - one) * min(1.0, (self.space.size - 1) / free)
        return float((self.energy(rows) - chance) / max(1 - chance, 1e-9))


NOTHING: Final = Estimate(NONE, np.zeros(0))


def block(known: Bools, side: int) -> tuple[Ints, Ints] | None:
    """Rows and columns of ``known`` [C, V], ``side`` of each or more, of which every pair is known.

    What lacks most is left out first; None where too few are left.
    """
    often = np.argsort(-known.sum(axis=0), kind="stable")[: _SPARE * side]
    lacking = (~known[:, often]).astype(np.int64)
    rows, columns = np.ones(len(known), np.bool_), np.ones(len(often), np.bool_)
    by_row, by_column = lacking.sum(axis=1), lacking.sum(axis=0)
    high, wide = len(rows), len(columns)
    while min(high, wide) >= side:
        row, column = int(by_row.argmax()), int(by_column.argmax())
        if not by_row[row]:
            return np.flatnonzero(rows), often[columns]
        # Of what lacks a larger share, as long as there is more than is wanted.
        if wide > side and (high == side or by_column[column] * wide >= by_row[row] * high):
            columns[column], by_column[column], wide = False, 0, wide - 1
            by_row -= lacking[:, column] * rows
        else:
            rows[row], by_row[row], high = False, 0, high - 1
            by_column -= lacking[row] * columns
    return None


def told(rows: Floats, noise: float) -> Estimate:
    """Of log probabilities [C, m], whose errors are ``noise``; NOTHING where all of the rank is
    used up, so that it may be larger, or nothing tells where the space ends.
    """
    _, values, axes = np.linalg.svd(centred(rows), full_matrices=False)
    edge = noise * float(np.sqrt(rows.shape[0]) + np.sqrt(rows.shape[1])) + _FLOOR * values[0]
    size = int(np.sum(values > edge))
    # Rows less their means have a rank of one less than columns.
    room = min(rows.shape[0], rows.shape[1] - 1)
    if size * (_SURE if noise else 1) >= room or values[size - 1] < _GAP * edge:
        return NOTHING
    return Estimate(Space(size, axes[:size].T), _unit(rows.mean(axis=0)), size)


def step(values: Floats) -> float:
    """The error of values that were rounded, by how far apart they mostly lie; 0 where hardly any
    came twice, since those were not rounded.
    """
    distinct, times = np.unique(values, return_counts=True)
    if len(distinct) < _STEPS or len(distinct) > _MOSTLY * len(values):
        return 0.0
    return float(np.median(np.repeat(np.gradient(distinct), times)) / np.sqrt(12))


def counted(first: Floats, second: Floats) -> Estimate:
    """Of counts [C, m] of two halves of the draws: what of the whole stands out of the noise, which
    is what the halves differ in.
    """
    both = first + second
    common = (both.sum(axis=0) + 0.5) / (both.sum() + 0.5 * both.shape[1])
    halves = [_logs(half, common, _PRIOR / 2) for half in (first, second)]
    edge = np.linalg.svd((halves[0] - halves[1]) / 2, compute_uv=False)[0]
    _, values, axes = np.linalg.svd(_logs(both, common, _PRIOR), full_matrices=False)
    size = int(np.sum(values > edge))
    hidden = size if 0 < size < len(values) - 1 and values[size - 1] > _GAP * values[size] else 0
    return Estimate(Space(size, axes[:size].T), _unit(np.log(common)), hidden)


def _logs(counts: Floats, common: Floats, prior: float) -> Floats:
    return centred(np.log(counts + prior * common))


def _unit(direction: Floats) -> Floats:
    without = direction - direction.mean()
    unit: Floats = without / max(np.linalg.norm(without), np.finfo(np.float64).tiny)
    return unit
