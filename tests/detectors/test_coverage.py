"""Coverage: see extproc/detectors/coverage.py."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from extproc.detectors.coverage import CELLS, Coverage
from extproc.detectors.features import Features, without_inputs

_RNG = np.random.default_rng(0)
SHARES = _RNG.dirichlet(np.full(CELLS, 3.0)).tolist()


def _features(*cells: int) -> Features:
    return replace(without_inputs(0.0, "served", len(cells)), cells=np.array(cells, np.int16))


def _counted(coverage: Coverage, *cells: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    counters = np.zeros(coverage.size, np.float32)
    coverage.count(counters, _features(*cells), 1.0)
    return counters


def _urn(rng: np.random.Generator, theta: float, count: int) -> list[int]:
    """As a caller draws who comes back to his topics."""
    drawn: list[int] = []
    for at in range(count):
        afresh = rng.random() * (theta + at) < theta
        drawn.append(int(rng.choice(CELLS, p=SHARES)) if afresh else drawn[rng.integers(at)])
    return drawn


def test_nothing_is_said_of_whom_nothing_is_known() -> None:
    coverage = Coverage([SHARES])
    assert coverage.evidence(_counted(coverage, -1, -1)) == -math.inf


def test_one_query_says_nothing() -> None:
    coverage = Coverage([SHARES])
    assert coverage.evidence(_counted(coverage, 5)) == pytest.approx(0, abs=1e-6)


def test_it_is_the_ratio_of_what_each_query_was_as_likely_as() -> None:
    coverage = Coverage([SHARES])
    cells = [3, 3, 7, 3, 20]
    afresh = math.prod(SHARES[cell] for cell in cells)
    urns = [
        math.prod(
            (cells[:at].count(cell) + theta * SHARES[cell]) / (at + theta)
            for at, cell in enumerate(cells)
        )
        for theta in (8, 16, 32)
    ]
    evidence = coverage.evidence(_counted(coverage, *cells))
    assert evidence == pytest.approx(math.log(afresh / np.mean(urns)), rel=1e-6)


def test_of_callers_with_topics_it_is_an_e_value() -> None:
    coverage, rng = Coverage([SHARES]), np.random.default_rng(1)
    values = [
        math.exp(
            coverage.evidence(_counted(coverage, *_urn(rng, float(rng.choice([8, 16, 32])), 12)))
        )
        for _ in range(500)
    ]
    assert 0.75 < np.mean(values) < 1.25


def test_who_covers_it_all_is_found_and_who_has_topics_is_not() -> None:
    coverage, rng = Coverage([SHARES]), np.random.default_rng(2)
    evenly = rng.choice(CELLS, 200, p=SHARES)
    assert coverage.evidence(_counted(coverage, *evenly)) > 20
    assert coverage.evidence(_counted(coverage, *_urn(rng, 8, 200))) < 0


def test_each_domain_is_judged_by_itself() -> None:
    halves = [SHARES[:20], SHARES[20:]]
    coverage, alone = Coverage(halves), [Coverage([half]) for half in halves]
    cells = [1, 2, 3, 4, 19, 20, 25, 30, 63]
    expected = [
        alone[0].evidence(_counted(alone[0], *(cell for cell in cells if cell < 20))),
        alone[1].evidence(_counted(alone[1], *(cell - 20 for cell in cells if cell >= 20))),
    ]
    assert coverage.evidence(_counted(coverage, *cells)) == pytest.approx(sum(expected))


def test_order_does_not_matter_and_replicas_add_up() -> None:
    coverage = Coverage([SHARES])
    whole = _counted(coverage, 1, 2, 2, 9)
    assert np.array_equal(whole, _counted(coverage, 9, 2, 1, 2))
    assert np.array_equal(whole, _counted(coverage, 1, 2) + _counted(coverage, 9, 2))


def test_a_weight_makes_less_of_it() -> None:
    coverage = Coverage([SHARES])
    counters = np.zeros(CELLS, np.float32)
    coverage.count(counters, _features(1, 1, 2), 0.5)
    assert counters[:3].tolist() == [0.0, 1.0, 0.5]
    assert math.isfinite(coverage.evidence(counters))


@pytest.mark.parametrize("shares", [[], [[]], [[0.5, 0.0]], [[0.1] * 33, [0.1] * 32]])
def test_shares_that_are_none_or_too_many_are_refused(shares: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="shares must be positive, 64 at most"):
        Coverage(shares)
