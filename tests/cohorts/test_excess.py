import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts import excess
from extproc.cohorts.excess import BINS, LEVELS, evidence, share

TAILS = np.array([1.0, *(1 - np.array(LEVELS)), 0.0])


def drawn(seed: int, shape: tuple[int, ...], masses: np.ndarray) -> np.ndarray:
    return np.random.default_rng(seed).choice(BINS, shape, p=masses)


def test_no_bet_on_a_rarer_bin_is_lower() -> None:
    """So the null holds for whoever has no more in the rare bins."""
    assert (np.diff(excess._BETS, axis=1) > -1e-9).all()
    assert math.isclose(excess._NULL.sum(), 1.0)
    assert (np.cumsum(excess._NULL[::-1]) >= np.cumsum(-np.diff(TAILS)[::-1]) - 1e-12).all()


def test_of_benign_groups_one_in_twenty_reaches_an_e_value_of_20_at_any_time() -> None:
    masses = excess._NULL
    one_each = np.eye(BINS)[drawn(3, (2000, 200), masses)]
    running = evidence(np.cumsum(one_each, axis=1))
    assert (running.max(axis=1) > math.log(20)).mean() < 0.05


@pytest.mark.parametrize(("attackers", "callers", "least"), [(100, 100, 30.0), (100, 1100, 20.0)])
def test_a_campaign_is_found_among_benign_callers(
    attackers: int, callers: int, least: float
) -> None:
    benign = np.bincount(drawn(5, (callers - attackers,), -np.diff(TAILS)), minlength=BINS)
    law = np.array([0, 0.05, 0.15, 0.3, 0.5])
    guilty = np.bincount(drawn(6, (attackers,), law), minlength=BINS)
    told = evidence((benign + guilty).astype(np.float32))
    assert told > least
    assert evidence(benign.astype(np.float32)) < 0.5


@given(st.lists(st.integers(0, 50), min_size=BINS, max_size=BINS))
def test_a_caller_in_the_most_usual_bin_speaks_against_an_excess(counts: list[int]) -> None:
    before = np.array(counts, np.float32)
    assert evidence(before + np.eye(BINS, dtype=np.float32)[0]) <= evidence(before) + 1e-9


def test_the_share_of_attackers_is_told() -> None:
    assert share(np.zeros(BINS, np.float32)) == 0.0
    assert share(np.array([42, 33, 18, 5, 2], np.float32)) == pytest.approx(0.0, abs=1e-6)
    assert share(np.array([36, 28, 15, 4, 17], np.float32)) == pytest.approx(0.15, abs=0.02)
    assert share(np.array([0, 0, 0, 0, 9], np.float32)) == 0.5
