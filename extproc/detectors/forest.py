"""An isolation forest: how few questions tell a caller's session from those of all others.

Rule: scored here, with arrays alone; trained offline (extproc/calibration/forest.py), and read from
octets that hold numbers and nothing that is run.  What a score is worth is found from sessions of
benign callers on which no tree was grown: the rank among them is a p-value, and the mixture over
all exponents of p**(k - 1) makes it an e-value.

Sources: Liu, Ting and Zhou, "Isolation forest", ICDM 2008; Vovk and Wang, "E-values: Calibration,
combination and applications", Annals of Statistics, 2021.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.session import NUMBERS
from extproc.errors import ConfigError

MOST_TREES: Final = 256
DEEPEST: Final = 10
"""Questions on the way to a leaf."""
MOST_RANKS: Final = 1 << 16
_HEADER: Final = np.dtype([("trees", "<u2"), ("depth", "<u2"), ("ranks", "<u4"), ("usual", "<f4")])

Scores = npt.NDArray[np.float64]


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
        session does.  ``ranks``: scores of benign sessions, in any order, at least one.

        Raise ValueError where they do not fit each other.
        """
        trees, nodes = numbers.shape
        self._depth = (nodes + 1).bit_length() - 1
        fits = bounds.shape == (trees, nodes) and paths.shape == (trees, nodes + 1)
        if not fits or nodes + 1 != 1 << self._depth or not trees or not len(ranks):
            raise ValueError("the arrays of a forest do not fit each other")
        if numbers.size and numbers.max() >= NUMBERS:
            raise ValueError("a tree asks about a number that no session has")
        self._numbers, self._bounds, self._paths = numbers.ravel(), bounds.ravel(), paths.ravel()
        self._nodes = np.arange(trees) * nodes
        self._leaves = np.arange(trees) * (nodes + 1)
        self._trees, self._usual, self._ranks = trees, usual, np.sort(ranks)

    def scores(self, sessions: npt.NDArray[np.float32]) -> Scores:
        """Of sessions of shape (sessions, NUMBERS): near 1 what is told apart at once, below 1/2
        what is like many others.
        """
        rows = np.arange(len(sessions))[:, None]
        places = np.zeros((len(sessions), self._trees), np.intp)
        for _ in range(self._depth):
            nodes = places + self._nodes
            right = sessions[rows, self._numbers[nodes]] > self._bounds[nodes]
            places = 2 * places + 1 + right
        leaves = places - ((1 << self._depth) - 1) + self._leaves
        scores: Scores = np.exp2(-self._paths[leaves].mean(axis=1, dtype=np.float64) / self._usual)
        return scores

    def evidence(self, sessions: npt.NDArray[np.float32]) -> Scores:
        """Natural logarithms of e-values; shape (sessions,)."""
        return calibrated(self.scores(sessions), self._ranks)

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


def calibrated(scores: Scores, ranks: npt.NDArray[np.float32]) -> Scores:
    """Natural logarithms of e-values, by how many of the sorted ``ranks`` are as high."""
    higher = len(ranks) - np.searchsorted(ranks, scores.astype(np.float32), side="left")
    p = (higher + 1.0) / (len(ranks) + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(p)
        nats = np.log((1.0 - p + p * log) / (p * log * log))
    found: Scores = np.where(higher == len(ranks), math.log(0.5), nats)
    return found
