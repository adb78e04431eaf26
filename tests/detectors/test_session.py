"""What a session looks like: ratios that tell one kind of caller from another."""

import numpy as np
import pytest

from extproc.detectors.features import Features
from extproc.detectors.panel import layout
from extproc.detectors.session import NUMBERS, Sessions, Summary
from tests.detectors.questions import reference
from tests.detectors.scenes import MONDAY, anything, exchange

LAYOUT = layout(reference(), 0.8, 604_800.0)
SUMMARY = Summary(LAYOUT.parts)


def of(*exchanges: Features) -> Sessions:
    """Whose queries are in four cells, and surprise by two nats each."""
    counters = np.zeros(LAYOUT.size, np.float32)
    for each in exchanges:
        LAYOUT.count(counters, each, 1.0)
    asked = sum(each.sampled for each in exchanges)
    counters[LAYOUT.parts["coverage"]][:4] = asked / 4
    counters[LAYOUT.parts["novelty"]] = asked, 2.0 * asked
    return SUMMARY.sessions(counters)


def test_of_nobody_nothing_is_known() -> None:
    found = SUMMARY.sessions(np.zeros((2, LAYOUT.size), np.float32))
    assert found.tolist() == [[0.0] * NUMBERS] * 2


def test_of_many_it_is_as_of_each() -> None:
    rng = np.random.default_rng(2)
    counters = rng.gamma(0.3, 9.0, (2, 3, LAYOUT.size)).astype(np.float32)
    found = SUMMARY.sessions(counters)
    assert found.shape == (2, 3, NUMBERS)
    np.testing.assert_array_equal(found[1, 2], SUMMARY.sessions(counters[1, 2]))
    assert np.isfinite(SUMMARY.sessions(counters * np.float32(1e12))).all()


def test_every_number_is_between_0_and_1_or_about() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = of(*(anything(rng) for _ in range(100)))
        assert found.shape == (NUMBERS,)
        assert found.dtype == np.float32
        assert found.min() >= 0.0
        assert found.max() < 3.0


def test_each_number_says_what_it_is_to() -> None:
    rng = np.random.default_rng(1)
    exchanges = [
        exchange(
            MONDAY + 900.0 * number,
            "limited" if number % 4 == 0 else "refused" if number % 4 == 1 else "served",
            simhashes=rng.integers(0, 1 << 63, 1, dtype=np.uint64),
            labels=[number % 16],
            margins=[0 if number % 2 else 7],
            norms=[4],
            knobs=0b11,
            model=15 if number % 2 else 3,
            queries=2,
        )
        for number in range(96)
    ]
    new, many, occupied, spread, surprise, near, labels, ties, norms, *rest = of(
        *exchanges
    ).tolist()
    even, limited, fields, models, unknown, refused, busiest = rest
    assert new == pytest.approx(0.5)
    assert many == pytest.approx(np.log1p(192) / 10)
    assert (occupied, spread) == pytest.approx((4 / 64, np.log(4) / np.log(64)))
    assert surprise == pytest.approx(2.0)
    assert near == pytest.approx(1 / 64 + 1 / 96, abs=0.01)
    assert (labels, ties, norms) == pytest.approx((1.0, 0.5, 0.0))
    assert (even, limited) == pytest.approx((1.0, 0.25))
    assert (fields, models, unknown, refused) == pytest.approx((2 / 16, 0.25, 0.5, 0.25))
    assert busiest == 1.0
