"""Novelty: see extproc/detectors/novelty.py."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from extproc.detectors.features import Features, without_inputs
from extproc.detectors.novelty import Novelty


def _features(*surprises: float, cell: int = 0) -> Features:
    return replace(
        without_inputs(0.0, "served", len(surprises)),
        cells=np.full(len(surprises), cell, np.int16),
        surprises=np.array(surprises, np.float32),
    )


def _counted(
    novelty: Novelty, *exchanges: Features
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    counters = np.zeros(novelty.size, np.float32)
    for each in exchanges:
        novelty.count(counters, each, 1.0)
    return counters


def test_nothing_is_said_of_whom_nothing_is_known() -> None:
    novelty = Novelty()
    unknown = _counted(novelty, _features(0.0, 0.0, cell=-1), without_inputs(0.0, "served", 3))
    assert novelty.evidence(unknown) == -math.inf


def test_it_is_the_wealth_of_the_bets() -> None:
    novelty = Novelty(0.7)
    surprises = [0.1, 3.0, 6.0, 2.5]
    bets = [0.1, 0.15, 0.2, 0.3, 0.5]
    wealth = np.mean(
        [
            np.prod([bet / 0.7 * math.exp(-each) ** (bet - 0.7) for each in surprises])
            for bet in bets
        ]
    )
    evidence = novelty.evidence(_counted(novelty, _features(*surprises)))
    assert evidence == pytest.approx(math.log(wealth), rel=1e-5)


@pytest.mark.parametrize("floor", [0.65, 1.0, 0.08])
def test_at_the_floor_it_is_an_e_value(floor: float) -> None:
    """Two queries whose surprises are exponential, of that rate: the expectation is 1."""
    novelty = Novelty(floor)
    sums = np.linspace(1e-6, 400 / floor, 200_000)
    density = floor**2 * sums * np.exp(-floor * sums)
    evidence = [novelty.evidence(np.array([2, each], np.float32)) for each in sums[::20]]
    expectation = np.trapezoid(density[::20] * np.exp(evidence), sums[::20])
    assert expectation == pytest.approx(1, abs=2e-3)


def test_the_surprising_are_found_and_the_usual_are_not() -> None:
    novelty = Novelty()
    rng = np.random.default_rng(0)
    usual = _counted(novelty, _features(*rng.exponential(1.0, 200)))
    novel = _counted(novelty, _features(*rng.exponential(4.0, 50)))
    assert novelty.evidence(usual) < 0
    assert novelty.evidence(novel) > 10


def test_order_does_not_matter_and_replicas_add_up() -> None:
    novelty = Novelty()
    some, others = _features(1.0, 2.0), _features(3.0)
    whole = _counted(novelty, some, others)
    assert np.allclose(whole, _counted(novelty, others, some))
    assert np.allclose(whole, _counted(novelty, some) + _counted(novelty, others))


def test_a_weight_makes_less_of_it() -> None:
    novelty = Novelty()
    counters = np.zeros(2, np.float32)
    novelty.count(counters, _features(2.0, 4.0), 0.5)
    assert counters.tolist() == [1.0, 3.0]


@pytest.mark.parametrize("floor", [0.0, -1.0, 1.1, math.nan])
def test_what_is_no_exponent_is_no_floor(floor: float) -> None:
    with pytest.raises(ValueError, match="the floor must be above 0"):
        Novelty(floor)
