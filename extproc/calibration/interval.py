"""Exact limits of a rate, from how often something happened in so many trials.

Rule: no approximation, and no claim beyond what the trials bear: each limit is the rate at which
what was seen, or something further off, is as unlikely as 5 %.  Source: Clopper and Pearson, "The
use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika, 1934.
"""

import math
from bisect import bisect_right
from typing import Final

import numpy as np
import numpy.typing as npt

RATE: Final = 0.001
"""The share of benign clients that may ever be suspected."""
ERROR: Final = 0.05
"""How unlikely what was seen may be at a limit; both limits together are wrong twice as often."""
_HALVINGS: Final = 100


def highest(happened: int, trials: int) -> float:
    """The upper 95 % limit; 1 where nothing was tried."""
    if happened >= trials:
        return 1.0
    logs = _coefficients(happened, trials)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # P(at most as many | rate) falls as the rate rises.
        if _at_most(logs, trials, middle) > ERROR:
            low = middle
        else:
            high = middle
    return high


def lowest(happened: int, trials: int) -> float:
    """The lower 95 % limit: what did not happen is looked at instead."""
    return 1.0 - highest(trials - happened, trials)


def needed(rate: float = RATE) -> int:
    """Trials, none of which may happen, before the upper limit is at the rate."""
    return math.ceil(math.log(ERROR) / math.log1p(-rate))


def allowed(trials: int, rate: float = RATE) -> int:
    """How often it may happen with the upper limit at the rate still; -1 for not even never."""
    # The limit rises with what happened, so the last that fits is found by halving.
    return bisect_right(range(trials), rate, key=lambda count: highest(count, trials)) - 1


def _coefficients(most: int, trials: int) -> npt.NDArray[np.float64]:
    """Logarithms of how many ways there are for 0, 1, ... of the trials to happen."""
    whole = math.lgamma(trials + 1)
    return np.array(
        [
            whole - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
            for count in range(most + 1)
        ]
    )


def _at_most(logs: npt.NDArray[np.float64], trials: int, rate: float) -> float:
    """The chance that it happens so often or less."""
    counts = np.arange(len(logs))
    terms = logs + counts * math.log(rate) + (trials - counts) * math.log1p(-rate)
    most = float(terms.max())
    return math.exp(most) * float(np.exp(terms - most).sum())
