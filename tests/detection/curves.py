"""When an alarm sounds: the share of callers that are flagged after so many queries.

Rule: every query is looked at; who was flagged once is flagged.  Peeking is what an alarm does, so
it is what is counted.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

NEVER: Final = int(np.iinfo(np.int64).max)
"""The query at which somebody is flagged who never is."""
_BARS: Final = " ▁▂▃▄▅▆▇█"


def flagged(firsts: npt.NDArray[np.int64], after: Sequence[int]) -> npt.NDArray[np.float64]:
    """The share that is flagged after so many queries; shape (after,)."""
    shares: npt.NDArray[np.float64] = (firsts[None, :] <= np.array(after)[:, None]).mean(axis=1)
    return shares


def bars(shares: Iterable[float]) -> str:
    """A curve as text, a character a value: blank is none, a full block all."""
    return "".join(_BARS[int(share * (len(_BARS) - 1) + 0.5)] for share in shares)
