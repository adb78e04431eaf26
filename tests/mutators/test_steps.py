"""Laws of Steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.steps import Steps
from extproc.prediction import Score

bounds = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda b: (b[0], b[0] + b[1]))
scores = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-2, 2)
counts = st.integers(2, 1000)


def shown(mutator: Steps, value: float) -> float:
    result = mutator.apply(Score(value))
    assert isinstance(result, Score)
    return result.value


@given(bounds, counts, scores)
def test_a_score_is_the_nearest_of_so_many(
    bound: tuple[float, float], count: int, value: float
) -> None:
    least, most = bound
    step = (most - least) / (count - 1)
    served = shown(Steps(least=least, most=most, values=count), value)
    assert least <= served <= most
    within = min(max(value, least), most)
    assert abs(served - within) <= step * 0.5001
    assert abs((served - least) / step - round((served - least) / step)) < 1e-3


@given(bounds, counts, scores)
def test_a_served_score_is_served_as_it_is(
    bound: tuple[float, float], count: int, value: float
) -> None:
    mutator = Steps(least=bound[0], most=bound[1], values=count)
    once = mutator.apply(Score(value))
    assert once is not None
    assert mutator.apply(once) is once


@given(bounds, counts, scores, scores)
def test_scores_keep_their_order(
    bound: tuple[float, float], count: int, first: float, second: float
) -> None:
    mutator = Steps(least=bound[0], most=bound[1], values=count)
    low, high = sorted((first, second))
    assert shown(mutator, low) <= shown(mutator, high)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-3.0, -1.0), (-0.9, -1.0), (-0.1, 0.0), (-0.0, 0.0), (0.3, 0.5), (0.99, 1.0), (1e300, 1.0)],
)
def test_examples(value: float, expected: float) -> None:
    assert repr(shown(Steps(least=-1.0, most=1.0, values=5), value)) == repr(expected)


def test_how_far_beyond_a_bound_is_not_told() -> None:
    mutator = Steps(least=0.0, most=1.0, values=3)
    assert {shown(mutator, value) for value in (1.0, 1.1, 7.0, 1e308)} == {1.0}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        Steps(least=0.0, most=1.0, values=3).apply(Score(value))


@pytest.mark.parametrize(("least", "most"), [(1.0, 1.0), (2.0, 1.0), (0.0, math.nan)])
def test_bounds_that_leave_nothing_between_them_are_refused(least: float, most: float) -> None:
    with pytest.raises(ValueError, match="least must be less than most"):
        Steps(least=least, most=most, values=3)
