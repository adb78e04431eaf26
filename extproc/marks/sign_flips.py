"""What numbers prove that lean the way in which secret coins fell: an exact test of signs.

Rule: the coins are the only chance.  Whoever did not know how they fell could have met any other
way of theirs as well, whatever the numbers are and however they hang together: a text may say one
word a thousand times, and that is one number with one coin (Fisher, "The Design of Experiments",
1935).  A count of tokens as if each had a coin of its own accuses wrongly (Fernandez et al., "Three
Bricks to Consolidate Watermarks for Large Language Models", WIFS 2023).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.marks.statistics import Tail
from extproc.prediction import Vector

GRID: Final = 1 << 14
"""Steps in which the sum of all numbers is counted: those rounded to 0 have no coin."""
MOST: Final = 1000
"""Numbers: 2^-1000 is as small as a float64 may become here."""


def sign_flips(numbers: Vector, coins: npt.NDArray[np.bool_]) -> Tail:
    """How likely as great a sum is, where each number counts as it is or with its other sign.

    Each number is for the side that its coin shows (true: as it is).  Raise ValueError for more
    than ``MOST`` of them.
    """
    if len(numbers) > MOST:
        raise ValueError(f"no more than {MOST} numbers have coins of their own")
    whole = _on_grid(numbers)
    law, sizes = np.ones(1), np.abs(whole)
    for size in sizes[sizes > 0]:
        law = np.pad(law, (0, size)) * 0.5
        law[size:] += law[: len(law) - size].copy()
    # Of the sizes together, what is on the positive side: half of the sum, and of all.
    positive = int(sizes.sum() + np.where(coins, whole, -whole).sum()) // 2
    return Tail(_log(law[positive:]), _log(law[positive + 1 :]))


def _on_grid(numbers: Vector) -> npt.NDArray[np.int64]:
    total = float(np.abs(numbers).sum())
    return np.rint(numbers * (GRID / total if total else 0.0)).astype(np.int64)


def _log(tail: Vector) -> float:
    chance = math.fsum(tail)
    return min(0.0, math.log2(chance)) if chance else -math.inf
