"""An isolation forest: how few questions tell a caller's session from those of all others.

Rule: scored here, with arrays alone; trained offline (extproc/calibration/forest.py), and read from
octets that hold numbers and nothing that is run.  What a score is worth is found from the lives of
benign callers of whom no tree was grown: its rank among the highest score of each, at whatever time
that was, is a p-value of the highest score of one more, and the mixture over all exponents of
p**(k - 1) makes it an e-value.

Sources: Liu, Ting and Zhou, "Isolation forest", ICDM 2008; Vovk and Wang, "E-values: Calibration,
combination and applications", Annals of Statistics, 2021.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.session import NUMBERS, Sessions
from extproc.errors import ConfigError

MOST_TREES: Final = 256
DEEPEST: Final = 10
"""Questions on the way to a leaf."""
MOST_RANKS: Final = 1 << 16
_HEADER: Final = np.dtype([("trees", "<u2"), ("depth", "<u2"), ("ranks", "<u4"), ("usual", "<f4")])

Scores = npt.NDArray[np.float64]
"""Of each session one."""


class Forest:
    """Trees of one depth, each node's children at twice its place and one or two more."""

    def __init__(
        self,
        numbers: npt.NDArray[np.uint8],
        bounds: npt.NDArray[np.float32],
        paths: npt.NDArray[np.float32],
        usual: float,
        ranks: npt.NDArray[np.float32],
    ) -> None:
        """``numbers`` and ``bounds``, of shape (trees, 2**depth - 1): which number of a session a
        node asks about, and up to which value of it the way goes left.  ``paths``, of shape (trees,
        2**depth): how many questions each leaf stands for; ``usual``: for how many an ordinary
        session does.  ``ranks``: the highest score in the life of each of
        some benign callers, in any order, at least one.

        Raise ValueError where they do not fit each other.
        """
        trees, nodes = numbers.shape
        depth = (nodes + 1).bit_length() - 1
        fits = bounds.shape == (trees, nodes) and paths.shape == (trees, nodes + 1)
        if not fits or nodes + 1 != 1 << depth or not trees or not len(ranks):
            raise ValueError("the arrays of a forest do not fit each other")
        if numbers.size and numbers.max() >= NUMBERS:
            raise ValueError("a tree asks about a number that no session has")
        self._numbers, self._bounds = numbers.ravel().astype(np.intp), bounds.ravel()
        self._paths, self._usual, self._ranks = paths.ravel(), usual, np.sort(ranks)
        self._trees, self._depth = trees, depth
        self._roots, self._left = _places(trees, depth)
        self._worth = worth(len(ranks))

    def scores(self, sessions: Sessions) -> Scores:
        """Near 1 what is told apart at once, below 1/2 what is like many others; shape (...)."""
        rows = np.arange(0, sessions.size, NUMBERS).reshape((*sessions.shape[:-1], 1))
        numbers = sessions.ravel()
        places = self._roots + 0 * rows
        for _ in range(self._depth):
            asked = numbers.take(self._numbers.take(places) + rows)
            places = self._left.take(places) + (asked > self._bounds.take(places))
        lengths = self._paths.take(places).sum(axis=-1, dtype=np.float64)
        scores: Scores = np.exp2(lengths / (-self._usual * self._trees))
        return scores

    def evidence(self, sessions: Sessions) -> Scores:
        """Natural logarithms of e-values; shape (...)."""
        scores = self.scores(sessions).astype(np.float32)
        # Of those as high as the score there are so many; the ranks are in ascending order.
        found: Scores = self._worth[len(self._ranks) - self._ranks.searchsorted(scores)]
        return found

    def dump(self) -> bytes:
        """What ``load`` reads."""
        header = np.array((self._trees, self._depth, len(self._ranks), self._usual), _HEADER)
        parts = (
            header,
            self._numbers.astype(np.uint8),
            self._bounds.astype("<f4"),
            self._paths.astype("<f4"),
            self._ranks.astype("<f4"),
        )
        return b"".join(part.tobytes() for part in parts)

    @classmethod
    def load(cls, octets: bytes) -> "Forest":
        """Raise ConfigError for what is none."""
        if len(octets) < _HEADER.itemsize:
            raise ConfigError("no isolation forest")
        trees, depth, ranks, usual = np.frombuffer(octets, _HEADER, 1)[0].item()
        if not (0 < trees <= MOST_TREES and depth <= DEEPEST and 0 < ranks <= MOST_RANKS):
            raise ConfigError("an isolation forest of a size that none has")
        nodes, leaves = (1 << depth) - 1, 1 << depth
        sizes = [trees * nodes, 4 * trees * nodes, 4 * trees * leaves, 4 * ranks]
        if len(octets) != _HEADER.itemsize + sum(sizes) or not 0 < usual < math.inf:
            raise ConfigError("an isolation forest that is cut off, or of another version")
        places = np.cumsum([_HEADER.itemsize, *sizes]).tolist()
        numbers, *rest = (octets[start:end] for start, end in pairwise(places))
        bounds, paths, known = (np.frombuffer(each, "<f4") for each in rest)
        if np.isnan(bounds).any() or not (paths >= 0).all() or np.isnan(known).any():
            raise ConfigError("an isolation forest with what is no number")
        try:
            return cls(
                np.frombuffer(numbers, np.uint8).reshape(trees, nodes),
                bounds.reshape(trees, nodes),
                paths.reshape(trees, leaves),
                usual,
                known,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error


def worth(ranks: int) -> Scores:
    """Natural logarithm of the e-value of a score that 0, 1, ... of so many ranks are as high as;
    shape (ranks + 1,).
    """
    p = np.arange(1.0, ranks + 1) / (ranks + 1)
    log = np.log(p)
    # The mixture is 0 / 0 where p is 1; its limit is a half.
    return np.append(np.log((1.0 - p + p * log) / (p * log * log)), math.log(0.5))


def _places(trees: int, depth: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The root of each tree, and the left one of the two that follow each node: of those at the
    bottom it is a leaf, which is counted apart.
    """
    nodes, leaves = (1 << depth) - 1, 1 << depth
    following = 2 * np.arange(nodes) + 1
    tree = np.arange(trees)[:, None]
    left = np.where(following < nodes, tree * nodes + following, tree * leaves + following - nodes)
    return np.arange(trees) * (nodes if depth else leaves), left.ravel()
