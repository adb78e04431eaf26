"""Growing an isolation forest over the sessions of benign callers, with scikit-learn.

Rule: trees are grown on one part of the callers and judged by another; what is kept of them is
arrays (detectors/forest.py), never an object that must be unpickled.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.forest import Forest
from extproc.detectors.session import NUMBERS
from extproc.errors import ConfigError

FEWEST: Final = 100
"""Callers, half of whom are judged by: of fewer no rank is worth anything."""
_TREES: Final = 64
_SAMPLE: Final = 128
_DEPTH: Final = 7
"""The depth at which a tree of so many sessions ends: log2 of them."""


def grow(sessions: npt.NDArray[np.float32], seed: int) -> Forest:
    """Of sessions of shape (callers, NUMBERS), in an order that says nothing.

    Raise ConfigError where there are too few, or where scikit-learn is not installed.
    """
    if sessions.shape[1:] != (NUMBERS,) or len(sessions) < FEWEST:
        raise ConfigError(f"an isolation forest takes {FEWEST} callers or more")
    half = len(sessions) // 2
    grown = _forest_class()(
        n_estimators=_TREES, max_samples=min(_SAMPLE, half), random_state=seed
    ).fit(sessions[:half])
    parts = [_flat(each.tree_) for each in grown.estimators_]
    numbers, bounds, paths = (np.stack(each) for each in zip(*parts, strict=True))
    usual = float(_unasked(np.array([grown.max_samples_]))[0])
    first = Forest(numbers, bounds, paths, usual, np.zeros(1, np.float32))
    ranks = first.scores(sessions[half:]).astype(np.float32)
    return Forest(numbers, bounds, paths, usual, ranks)


def _forest_class() -> Any:
    try:
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            "an isolation forest takes scikit-learn: pip install 'extproc[detect]'"
        ) from error
    return IsolationForest


def _flat(tree: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The tree as one of which every leaf is at the same depth, by asking nothing further down."""
    nodes = (1 << _DEPTH) - 1
    numbers, bounds = np.zeros(nodes, np.uint8), np.full(nodes, np.inf, np.float32)
    paths = np.zeros(nodes + 1, np.float32)
    waiting = [(0, 0, 0)]  # in scikit-learn's tree, in ours, and how deep
    while waiting:
        node, place, depth = waiting.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:
            span = 1 << (_DEPTH - depth)
            start = (place + 1) * span - 1 - nodes
            paths[start : start + span] = depth + _unasked(tree.n_node_samples[[node]])[0]
            continue
        numbers[place] = tree.feature[node]
        bounds[place] = tree.threshold[node]
        waiting += [(left, 2 * place + 1, depth + 1), (right, 2 * place + 2, depth + 1)]
    return numbers, bounds, paths


def _unasked(sessions: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """How many questions more would tell apart so many sessions, on average (Liu et al., eq. 1)."""
    several = np.maximum(sessions.astype(np.float64), 2.0)
    harmonic = np.log(several - 1.0) + np.euler_gamma
    found = np.where(sessions > 2, 2.0 * harmonic - 2.0 * (several - 1.0) / several, 1.0)
    exact: npt.NDArray[np.float64] = np.where(sessions > 1, found, 0.0)
    return exact
