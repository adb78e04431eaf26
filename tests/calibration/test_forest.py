"""Growing a forest: it scores as scikit-learn does, and tells attackers from callers."""

import sys

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import IsolationForest

from extproc.calibration.forest import FEWEST, grow, why_none
from extproc.detectors.forest import Forest
from extproc.detectors.session import NUMBERS
from extproc.errors import ConfigError

Sessions = npt.NDArray[np.float32]


def benign(count: int, rng: np.random.Generator) -> Sessions:
    return rng.beta(2.0, 5.0, (count, NUMBERS)).astype(np.float32)


def lives(count: int, rng: np.random.Generator) -> list[Sessions]:
    """Of some sessions each."""
    return [benign(int(rng.integers(1, 20)), rng) for _ in range(count)]


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
    scores = grow(sessions[:200], lives(200, rng), 5).scores(rows)
    np.testing.assert_allclose(scores, -grown.score_samples(rows), atol=1e-6)


def test_it_tells_who_copies_from_who_uses() -> None:
    rng = np.random.default_rng(1)
    forest = Forest.load(grow(benign(500, rng), lives(500, rng), 1).dump())
    flagged = forest.evidence(copying(100, rng))
    quiet = forest.evidence(benign(100, rng))
    assert np.median(flagged) > 0.5
    assert np.median(quiet) < 0.0


def test_the_highest_e_value_of_a_benign_life_has_an_expectation_of_one() -> None:
    # Planted: ranks of the callers that the trees were grown of, or of one session of each life in
    # place of all of them, make it 1.9; it is 0.9.
    rng = np.random.default_rng(4)
    highest = []
    for seed in range(3):
        forest = grow(benign(100, rng), lives(100, rng), seed)
        highest += [float(np.exp(forest.evidence(life).max())) for life in lives(100, rng)]
    assert np.mean(highest) < 1.2


def test_a_few_callers_or_other_numbers_are_not_enough() -> None:
    rng = np.random.default_rng(2)
    others = [*lives(FEWEST - 1, rng), benign(0, rng)]
    for sessions in (benign(FEWEST - 1, rng), benign(FEWEST, rng)[:, 1:]):
        with pytest.raises(ConfigError, match="it takes 50 callers and as many others"):
            grow(sessions, lives(FEWEST, rng), 0)
    with pytest.raises(ConfigError, match="it takes 50 callers and as many others"):
        grow(benign(FEWEST, rng), others, 0)


def test_callers_who_are_all_alike_make_trees_that_ask_nothing() -> None:
    sessions = np.full((FEWEST, NUMBERS), 0.5, np.float32)
    assert np.isfinite(grow(sessions, [sessions] * FEWEST, 0).evidence(sessions)).all()


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(ConfigError, match=r"pip install 'extproc\[detect\]'"):
        grow(benign(FEWEST, np.random.default_rng(3)), [], 0)
    assert "pip install" in why_none()
