"""Thresholds: they hold for clients that nothing was set by, and claim no more than that."""

import math

import numpy as np
import pytest

from extproc.calibration.interval import RATE, needed
from extproc.calibration.thresholds import (
    MARGIN,
    UNTRIED,
    Course,
    claim,
    combined,
    discounts,
    threshold,
    top,
)
from extproc.detectors import evidence

NAMES = ("a", "b")


def _walks(clients: int, seed: int, steps: int = 60) -> list[Course]:
    """E-processes: bets at fair odds, b's of twenty times the scale."""
    rng = np.random.default_rng(seed)
    scales = np.array([0.3, 0.6])
    normal = rng.normal(size=(clients, steps, 2)) * scales - scales**2 / 2
    return list(normal.cumsum(axis=1).astype(np.float32))


def test_fresh_clients_do_not_reach_it() -> None:
    found = threshold(NAMES, _walks(3000, 1), _walks(3000, 2))
    assert (found.set_by, found.clients) == (3000, 3000)
    assert found.alarms == 0
    assert found.highest <= RATE
    assert claim(found) == "at most 0.100% of benign clients are ever suspected (95 %)"


def test_a_client_alarms_by_its_highest_evidence_and_not_by_its_last() -> None:
    """Peeking: what rose and fell again was seen all the same."""
    up = np.array([[0.0, 0.0], [40.0, 40.0], [-9.0, -9.0]], np.float32)
    found = threshold(NAMES, _walks(3000, 1), [*_walks(50, 2), *[up] * 5])
    assert found.alarms == 5


def test_what_was_set_is_not_tried_on_itself() -> None:
    """Those a threshold is made of never reach it; others of the same law may."""
    mild, wild = _walks(300, 1), [course * 4 for course in _walks(300, 2)]
    assert threshold(NAMES, mild, mild).alarms == 0
    assert threshold(NAMES, mild, wild).alarms > 0


def test_each_detector_is_discounted_by_what_benign_lives_come_to() -> None:
    courses = _walks(3000, 1)
    less = discounts(NAMES, courses)
    for place, name in enumerate(NAMES):
        peaks = np.array([course[:, place].max() for course in courses])
        assert less[name] + math.log(2) == pytest.approx(peaks.max())
        assert less[name] + math.log(2) == pytest.approx(top(peaks))


def test_a_detector_that_benign_traffic_says_nothing_to_is_trusted_as_an_e_value() -> None:
    courses = [np.array([[1.0, -math.inf]], np.float32)] * 10
    assert discounts(NAMES, courses)["b"] == pytest.approx(UNTRIED - math.log(2))


def test_what_can_reach_no_threshold_weighs_an_eighth() -> None:
    """Its most, which benign lives come to as well, moves the threshold by little."""
    walks = _walks(300, 1)
    most = [np.full((60, 1), 2.5, np.float32)] * len(walks)
    beside = [np.concatenate(both, axis=1) for both in zip(walks, most, strict=True)]
    less = discounts((*NAMES, "isolation"), beside)
    assert less["isolation"] == pytest.approx(2.5 - math.log(3) + math.log(8))
    rise = threshold((*NAMES, "isolation"), beside, []).nats - threshold(NAMES, walks, []).nats
    assert 0 <= rise < 1 / 8


def test_evidence_below_nothing_is_no_discount() -> None:
    courses = [np.array([[-5.0, 1.0]], np.float32)] * 10
    assert discounts(NAMES, courses)["a"] == pytest.approx(-math.log(2))


def test_it_combines_as_the_sidecar_does() -> None:
    course = _walks(1, 4)[0]
    course[3, 0] = -math.inf
    less = {"a": 3.0, "b": -0.5}
    told = [evidence.combined(dict(zip(NAMES, each, strict=True)), less) for each in course]
    assert combined(NAMES, course, less) == pytest.approx(told)


def test_few_clients_make_a_threshold_that_is_higher() -> None:
    courses = _walks(3000, 1)
    many, few = (threshold(NAMES, some, _walks(30, 2)) for some in (courses, courses[:30]))
    assert few.nats >= math.log(needed() / 30) + MARGIN
    assert many.nats < few.nats


def test_of_many_clients_a_few_may_be_thieves() -> None:
    """4 of 10,000 leave the limit at 0.1 %: they do not move it beyond all others."""
    walks = _walks(10_000, 1, 2)
    for thieves, above in ((4, False), (5, True)):
        stolen = [course + 90 for course in walks[:thieves]]
        nats = threshold(NAMES, [*walks[thieves:], *stolen], walks[:10]).nats
        discount = discounts(NAMES, [*walks[thieves:], *stolen])["a"]
        assert (nats + discount > 90) is above


@pytest.mark.parametrize(
    ("clients", "wild", "told"),
    [
        (100, 0, "0.1% is not claimed, which needs 2,995 clients without an alarm"),
        (100, 2, "0.1% is not claimed, 2 of 102 were"),
        (3000, 0, "benign clients are ever suspected (95 %)"),
    ],
)
def test_no_more_is_claimed_than_was_tried(clients: int, wild: int, told: str) -> None:
    others = _walks(clients, 2) + [course + 60 for course in _walks(wild, 3)]
    assert claim(threshold(NAMES, _walks(3000, 1), others)).endswith(told)
