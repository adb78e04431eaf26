import math

import numpy as np

from extproc.cohorts import complement

BASE = np.array([0.25, 0.25, 0.25, 0.25])
NONE = np.zeros(1)


def cells(*counts: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([counts], np.float64)


def test_those_who_draw_from_one_distribution_may_be_one_operator() -> None:
    far = cells(90, 5, 3, 2)
    [same] = complement.evidence(far, far, BASE, NONE)
    [other] = complement.evidence(far, cells(2, 3, 5, 90), BASE, NONE)
    assert same > 1.0
    assert other == -complement.MOST


def test_it_says_nothing_for_those_who_share_inputs_or_of_whom_nothing_is_known() -> None:
    far = cells(90, 5, 3, 2)
    assert complement.evidence(far, far, BASE, np.ones(1)).tolist() == [0.0]
    assert np.allclose(complement.evidence(cells(0, 0, 0, 0), far, BASE, NONE), 0.0)


def test_it_is_the_same_both_ways() -> None:
    one, other = cells(5, 0, 2, 0), cells(1, 4, 0, 0.5)
    assert complement.evidence(one, other, BASE, NONE) == complement.evidence(
        other, one, BASE, NONE
    )


def test_the_logarithm_of_gamma_is_right() -> None:
    for x in (1e-3, 0.25, 1.0, 3.5, 16.0, 1e4):
        found = complement._log_gamma(x).item()
        assert math.isclose(found, math.lgamma(x), rel_tol=1e-8, abs_tol=1e-8)
