"""Isolation: the laws of what looks at all counters of a profile."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.detectors import isolation
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.forest import worth
from extproc.detectors.panel import layout
from tests.detectors.questions import reference
from tests.detectors.scenes import DAY, MONDAY, anything, exchange
from tests.detectors.trees import by_chance

_RANKS = 200
LAYOUT = layout(reference(), 0.8, 604_800.0, by_chance(ranks=_RANKS))


def _counted(exchanges: list[Features], weight: float = 1.0) -> Counters:
    counters = np.zeros(LAYOUT.size, np.float32)
    for each in exchanges:
        LAYOUT.count(counters, each, weight)
    return counters


def _nats(counters: Counters) -> float:
    return LAYOUT.evidence(counters)["isolation"]


@given(st.integers(0, 2**32), st.integers(0, 60), st.sampled_from([1.0, 0.5]))
@settings(max_examples=8, deadline=None)
def test_replicas_together_come_to_what_one_does_whatever_came_first_and_has_decayed(
    seed: int, cut: int, decayed: float
) -> None:
    # Planted: an Isolation that keeps what it found last fails here.
    rng = np.random.default_rng(seed)
    exchanges = [anything(rng) for _ in range(60)]
    whole = _counted(exchanges)
    whole *= np.float32(decayed)
    one, other = _counted(exchanges[:cut]), _counted(exchanges[cut:][::-1], decayed)
    one *= np.float32(decayed)
    _nats(other)
    one += other
    assert _nats(one) == _nats(whole)


def test_it_changes_no_counter_and_no_other_evidence() -> None:
    rng = np.random.default_rng(2)
    counters = _counted([anything(rng) for _ in range(60)])
    before, alone = counters.copy(), layout(reference(), 0.8, 604_800.0)
    told = LAYOUT.evidence(counters)
    np.testing.assert_array_equal(counters, before)
    assert told.pop("isolation") > -math.inf
    assert told == alone.evidence(counters)
    assert (*alone.names, "isolation") == LAYOUT.names
    assert (alone.size, alone.parts) == (LAYOUT.size, LAYOUT.parts)


def _asked(times: int) -> list[Features]:
    return [exchange(MONDAY + each * DAY / 9, simhashes=[each]) for each in range(times)]


def test_of_who_has_asked_little_it_says_nothing() -> None:
    few, enough = _asked(15), _asked(16)
    assert _nats(np.zeros(LAYOUT.size, np.float32)) == -math.inf
    assert _nats(_counted(few)) == -math.inf
    assert _nats(_counted(enough)) > -math.inf
    assert _nats(_counted(enough, 0.9)) == -math.inf, "as much as has not decayed counts"


def test_of_many_callers_it_says_what_it_says_of_each() -> None:
    rng = np.random.default_rng(3)
    profiles = np.array([_counted([anything(rng) for _ in range(times)]) for times in (3, 60, 90)])
    [watcher] = LAYOUT.onlookers
    assert watcher.evidence(profiles).tolist() == [*map(_nats, profiles)]
    assert watcher.evidence(profiles[:1]).tolist() == [-math.inf]


@pytest.mark.parametrize("size", [1e-30, 1e-6, 0.3, 1e6, 1e12])
def test_it_is_a_number_within_bounds_whatever_is_counted(size: float) -> None:
    counters: npt.NDArray[np.float32] = np.full(LAYOUT.size, size, np.float32)
    assert -math.inf <= _nats(counters) <= worth(_RANKS)[0] < math.log(_RANKS)
    assert bool(isolation.told(counters, LAYOUT.parts)) == (size * 28 >= 16)
