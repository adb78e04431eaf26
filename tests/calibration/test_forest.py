"""Growing a forest: it scores as scikit-learn does, and tells attackers from callers."""

import sys

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import IsolationForest

from extproc.calibration.forest import FEWEST, grow
from extproc.detectors.forest import Forest
from extproc.detectors.session import NUMBERS
from extproc.errors import ConfigError

Sessions = npt.NDArray[np.float32]


def benign(count: int, rng: np.random.Generator) -> Sessions:
    return rng.beta(2.0, 5.0, (count, NUMBERS)).astype(np.float32)


def copying(count: int, rng: np.random.Generator) -> Sessions:
    """All of whose queries are new, and spread."""
    rows = benign(count, rng)
    rows[:, :4] = rng.beta(30.0, 2.0, (count, 4))
    return rows


def test_it_scores_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    sessions = benign(400, rng)
    rows = np.concatenate((benign(50, rng), copying(50, rng)))
    grown = IsolationForest(n_estimators=64, max_samples=128, random_state=5).fit(sessions[:200])
    scores = grow(sessions, 5).scores(rows)
    np.testing.assert_allclose(scores, -grown.score_samples(rows), atol=1e-6)


def test_it_tells_who_copies_from_who_uses() -> None:
    rng = np.random.default_rng(1)
    forest = Forest.load(grow(benign(1000, rng), 1).dump())
    flagged = forest.evidence(copying(100, rng))
    quiet = forest.evidence(benign(500, rng))
    assert np.median(flagged) > 2.0
    assert np.mean(np.exp(quiet)) < 1.3


def test_a_few_callers_or_other_numbers_are_not_enough() -> None:
    rng = np.random.default_rng(2)
    for sessions in (benign(FEWEST - 1, rng), benign(FEWEST, rng)[:, 1:]):
        with pytest.raises(ConfigError, match="callers or more"):
            grow(sessions, 0)


def test_callers_who_are_all_alike_make_trees_that_ask_nothing() -> None:
    sessions = np.full((FEWEST, NUMBERS), 0.5, np.float32)
    assert np.isfinite(grow(sessions, 0).evidence(sessions)).all()


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(ConfigError, match=r"pip install 'extproc\[detect\]'"):
        grow(benign(FEWEST, np.random.default_rng(3)), 0)
