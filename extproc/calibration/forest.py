"""Growing an isolation forest over the sessions of benign callers, with scikit-learn.

Rule: trees are grown on one part of the callers and judged by another, and neither of them sets a
threshold or tries it.  What is kept of them is arrays (detectors/forest.py), never an object that
must be unpickled.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.lives import Watch
from extproc.detectors import isolation
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.forest import Forest
from extproc.detectors.isolation import told
from extproc.detectors.session import NUMBERS, Sessions, Summary
from extproc.errors import ConfigError

FEWEST: Final = 50
"""Callers to grow trees of, and as many others to judge by: of fewer no rank is worth anything."""
_TREES: Final = 64
_SAMPLE: Final = 128
_DEPTH: Final = 7
"""The depth at which a tree of so many sessions ends: log2 of them."""
TOO_FEW: Final = (
    f"it takes {FEWEST} callers and as many others, of {isolation.FEWEST:.0f} different queries "
    "or more, beside those who set thresholds"
)

Exchanges = Iterable[Features]
"""Of one life, by time."""


def why_none() -> str:
    """What stands in the way of growing any; empty where nothing does."""
    try:
        _forest_class()
    except ConfigError as error:
        return str(error)
    return ""


def some(watch: Watch, lives: Iterable[Exchanges], rng: np.random.Generator) -> Sessions:
    """A session of each life, at a moment by chance; none where there is never enough of it."""
    found = []
    for life in lives:
        chosen, total = None, 0.0
        # Each exchange has the weight 1 / its number: callers are looked at when they have asked
        # ten queries as well as when they have asked a thousand.
        for number, counters in enumerate(watch.profiles(life), 1):
            if told(counters, watch.layout.parts):
                total += 1.0 / number
                if rng.random() * total * number <= 1.0:
                    chosen = counters.copy()
        if chosen is not None:
            found.append(chosen)
    return _sessions(watch, found)


def whole(watch: Watch, life: Exchanges) -> Sessions:
    """After each exchange of a life, once there is enough of it."""
    parts, summary = watch.layout.parts, Summary(watch.layout.parts)
    found = [summary.sessions(each) for each in watch.profiles(life) if told(each, parts)]
    return np.array(found, np.float32).reshape(len(found), NUMBERS)


def grow(sessions: Sessions, others: Iterable[Sessions], seed: int) -> Forest:
    """Trees of a session of each of some callers, and ranks of the lives of others.

    Raise ConfigError where there are too few, or where scikit-learn is not installed.
    """
    if sessions.shape[1:] != (NUMBERS,) or len(sessions) < FEWEST:
        raise ConfigError(TOO_FEW)
    grown = _forest_class()(
        n_estimators=_TREES, max_samples=min(_SAMPLE, len(sessions)), random_state=seed
    ).fit(sessions)
    parts = [_flat(each.tree_) for each in grown.estimators_]
    numbers, bounds, paths = (np.stack(each) for each in zip(*parts, strict=True))
    usual = float(_unasked(np.array([grown.max_samples_]))[0])
    unranked = Forest(numbers, bounds, paths, usual, np.zeros(1, np.float32))
    ranks = [unranked.scores(life).max() for life in others if len(life)]
    if len(ranks) < FEWEST:
        raise ConfigError(TOO_FEW)
    return Forest(numbers, bounds, paths, usual, np.array(ranks, np.float32))


def _sessions(watch: Watch, profiles: Sequence[Counters]) -> Sessions:
    counters = np.array(profiles, np.float32).reshape(len(profiles), watch.layout.size)
    return Summary(watch.layout.parts).sessions(counters)


def _forest_class() -> Any:
    try:
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError("it takes scikit-learn: pip install 'extproc[detect]'") from error
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
