"""Which line of the traffic serves what: the reference, the forest, the thresholds, or their trial.

Rule: each part is later than the one before, and no input or client of an earlier part helps a
later one to look better than strangers would.  So the rate of false alarms that is reported is that
of clients, texts and days that nothing was fitted to.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

LEARNT: Final = 0
"""The reference is made of it."""
GROWN: Final = 1
"""The isolation forest is made of it: the lines of some clients of the next part, since the
sessions of clients whom the reference was made of look more usual to it than those of others, and
clients on whom a tree was grown do so to the forest.
"""
SET: Final = 2
"""How much evidence benign clients come to in their lives."""
TRIED: Final = 3
"""How many others come to more."""
ENDS: Final = (0.5, 0.75)
"""Where what is learnt from ends, and what thresholds are set by, as shares of all lines by
time."""
_ASIDE: Final = 0.25
"""Of the clients that would set thresholds how many grow the forest instead."""
_MOST: Final = 1000
"""Of them: more would tell it nothing new."""
_SHARE: Final = 0.02
"""Of the reference, that one client gives at most: a thief among them does not make it his own."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Of each line of a file, in its order; arrays of shape (lines,)."""

    times: npt.NDArray[np.float64]
    clients: npt.NDArray[np.uint32]
    classes: npt.NDArray[np.uint8]
    digests: npt.NDArray[np.uint64]
    """Of the canonical input, keyed."""


def parts(index: Index, ends: tuple[float, float] = ENDS) -> npt.NDArray[np.int8]:
    """The part of each line, shape (lines,); -1 of one that serves none.  None is GROWN yet.

    A client that comes in both of the last two parts serves one of them, as its number has it.
    """
    ordered = np.sort(index.times)
    cuts = ordered[[int(len(ordered) * end) for end in ends]]
    places = np.searchsorted(cuts, index.times, side="right")
    found = np.array([LEARNT, SET, TRIED], np.int8)[places]
    both = np.intersect1d(index.clients[found == SET], index.clients[found == TRIED])
    shared = np.isin(index.clients, both)
    odd = index.clients % 2 == 1
    found[shared & odd & (found == SET)] = -1
    found[shared & ~odd & (found == TRIED)] = -1
    return found


def set_aside(
    index: Index, found: npt.NDArray[np.int8], fewest: int, lines: float
) -> npt.NDArray[np.int8]:
    """The parts, some clients' lines among them GROWN that were SET.

    None where fewer than ``fewest`` of these clients have so many lines: the others set thresholds
    that are lower the more of them there are.
    """
    clients, counts = np.unique(index.clients[found == SET], return_counts=True)
    # By chance, and whatever they asked: those that are left are as all are.
    order = np.random.default_rng(0).permutation(len(clients))
    chosen = order[: min(_MOST, int(len(clients) * _ASIDE))]
    if np.count_nonzero(counts[chosen] >= lines) < fewest:
        return found
    aside = (found == SET) & np.isin(index.clients, clients[chosen])
    return np.where(aside, np.int8(GROWN), found)


def unseen(index: Index, found: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Which lines hold an input that no line of an earlier part held; shape (lines,)."""
    fresh = np.ones(len(found), np.bool_)
    for part in (SET, TRIED):
        earlier = np.unique(index.digests[(found >= 0) & (found < part)])
        fresh[found == part] = ~np.isin(index.digests[found == part], earlier)
    return fresh


def drawn(index: Index, lines: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.intp]:
    """At most so many of these lines, each of another input, and few of any client.

    Which ones is as good as random, since digests are keyed; the same file gives the same ones.
    """
    chosen = np.flatnonzero(lines)
    chosen = chosen[np.argsort(index.digests[chosen], kind="stable")]
    pairs = np.stack([index.digests[chosen], index.clients[chosen].astype(np.uint64)])
    chosen = chosen[np.sort(np.unique(pairs, axis=1, return_index=True)[1])]
    clients = index.clients[chosen]
    share = max(int(most * _SHARE), -(-most // max(1, len(np.unique(clients)))))
    chosen = chosen[_turn(clients) < share]
    return np.sort(chosen[np.unique(index.digests[chosen], return_index=True)[1]][:most])


def _turn(clients: npt.NDArray[np.uint32]) -> npt.NDArray[np.intp]:
    """How many lines of the same client stand before each; shape (lines,)."""
    order = np.argsort(clients, kind="stable")
    ranked = clients[order]
    starts = np.searchsorted(ranked, ranked, side="left")
    turns = np.empty(len(clients), np.intp)
    turns[order] = np.arange(len(clients)) - starts
    return turns
