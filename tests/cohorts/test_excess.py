import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.excess import BINS, LEVELS, bets, evidence, null, share

QUANTILES = tuple(map(float, range(len(LEVELS))))
DRIFT = 0.85
NULL = null(QUANTILES, DRIFT)
BETS = bets(NULL)
TAILS = np.array([1.0, *(1 - np.array(LEVELS)), 0.0])
TIED = (0.0,) * 4 + (0.4,) * 9 + (0.6, 0.9, math.inf)


def drawn(seed: int, shape: tuple[int, ...], masses: np.ndarray) -> np.ndarray:
    return np.random.default_rng(seed).choice(BINS, shape, p=masses)


@pytest.mark.parametrize("quantiles", [QUANTILES, TIED, (0.0,) * len(LEVELS)])
def test_no_bet_on_a_rarer_bin_is_lower(quantiles: tuple[float, ...]) -> None:
    """So the null holds for whoever has no more in the rare bins."""
    masses = null(quantiles, DRIFT)
    assert (np.diff(bets(masses), axis=1) > -1e-9).all()
    assert math.isclose(masses.sum(), 1.0)
    assert np.allclose(np.exp(bets(masses)) @ masses, 1.0), "every one is an e-value"


def test_benign_callers_may_be_somewhat_rarer_than_those_of_the_calibration() -> None:
    assert (np.cumsum(NULL[::-1]) >= np.cumsum(-np.diff(TAILS)[::-1]) - 1e-12).all()


def test_where_many_have_the_same_evidence_nobody_is_between() -> None:
    masses = null(TIED, DRIFT)
    assert np.flatnonzero(masses).tolist() == [0, 4, 13, 14, 15, 16]
    assert masses[0] == pytest.approx(1 - (1 - LEVELS[3]) ** DRIFT)


def test_of_benign_groups_one_in_twenty_reaches_an_e_value_of_20_at_any_time() -> None:
    one_each = np.eye(BINS)[drawn(3, (1000, 100), NULL)]
    running = evidence(np.cumsum(one_each, axis=1), BETS)
    assert (running.max(axis=1) > math.log(20)).mean() < 0.05


@pytest.mark.parametrize(("attackers", "callers", "least"), [(100, 100, 30.0), (100, 300, 5.0)])
def test_a_campaign_is_found_among_benign_callers(
    attackers: int, callers: int, least: float
) -> None:
    benign = np.bincount(drawn(5, (callers - attackers,), -np.diff(TAILS)), minlength=BINS)
    law = np.array([0] * 9 + [0.05] * 4 + [0.1, 0.1, 0.2, 0.4])
    guilty = np.bincount(drawn(6, (attackers,), law), minlength=BINS)
    told = evidence((benign + guilty).astype(np.float32), BETS)
    assert told > least
    assert evidence(benign.astype(np.float32), BETS) < 0.5


def test_so_is_one_of_whose_keys_none_is_rare_and_none_is_usual() -> None:
    even = np.zeros(BINS, np.float32)
    even[12:16] = 25
    assert evidence(even, BETS) > 20
    assert evidence(np.full(BINS, 100 / BINS, np.float32), BETS) < 5


def test_a_company_that_is_a_little_like_attackers_is_not_suspected_however_large() -> None:
    """Nobody of it is among the fifth of all that is the most usual, and all others as they are."""
    little = np.where(np.arange(BINS) < 2, 0.0, -np.diff(TAILS))
    for callers in (100, 1000, 10_000):
        assert evidence((callers * little / little.sum()).astype(np.float32), BETS) < 0


@given(st.lists(st.integers(0, 50), min_size=BINS, max_size=BINS))
def test_a_caller_in_the_most_usual_bin_speaks_against_an_excess(counts: list[int]) -> None:
    before = np.array(counts, np.float32)
    assert (
        evidence(before + np.eye(BINS, dtype=np.float32)[0], BETS) <= evidence(before, BETS) + 1e-9
    )


def test_the_share_of_attackers_is_told() -> None:
    assert share(np.zeros(BINS, np.float32), NULL) == 0.0
    assert share((1000 * NULL).astype(np.float32), NULL) == pytest.approx(0.0, abs=0.01)
    mixed = 850 * NULL + 150 * np.eye(BINS)[-1]
    assert share(mixed.astype(np.float32), NULL) == pytest.approx(0.15, abs=0.02)
    assert share(np.eye(BINS, dtype=np.float32)[-1], NULL) == 0.5
