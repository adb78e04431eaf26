"""Laws of Steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.steps import Steps
from extproc.prediction import Score

scores = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-2, 2)
mutators = st.builds(
    Steps,
    least=st.floats(-1e6, 1e6) | st.sampled_from([0.0, -1.0]),
    step=st.floats(1e-4, 1e6) | st.sampled_from([0.1, 0.25]),
    values=st.integers(2, 1000) | st.just(10**6),
)


def shown(mutator: Steps, value: float) -> float:
    result = mutator.apply(Score(value))
    assert isinstance(result, Score)
    return result.value


@given(mutators, scores)
def test_a_score_is_the_nearest_of_so_many(mutator: Steps, value: float) -> None:
    count = (shown(mutator, value) - mutator.least) / mutator.step
    assert abs(count - round(count)) < 0.02
    assert 0 <= round(count) < mutator.values
    wanted = min(max((value - mutator.least) / mutator.step, 0.0), mutator.values - 1)
    assert abs(round(count) - wanted) <= 0.5001


@given(mutators, scores)
def test_a_served_score_is_served_as_it_is(mutator: Steps, value: float) -> None:
    once = mutator.apply(Score(value))
    assert once is not None
    assert mutator.apply(once) is once


@given(mutators, scores, scores)
def test_scores_keep_their_order(mutator: Steps, first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert shown(mutator, low) <= shown(mutator, high)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-3.0, -1.0), (-0.9, -1.0), (-0.1, 0.0), (-0.0, 0.0), (0.3, 0.5), (0.99, 1.0), (1e300, 1.0)],
)
def test_examples(value: float, expected: float) -> None:
    assert repr(shown(Steps(least=-1.0, step=0.5, values=5), value)) == repr(expected)


def test_decimals_stay_decimals() -> None:
    mutator = Steps(least=0.0, step=0.1, values=11)
    assert [shown(mutator, number / 10) for number in range(11)] == [n / 10 for n in range(11)]


def test_how_far_beyond_a_bound_is_not_told() -> None:
    mutator = Steps(least=0.0, step=0.5, values=3)
    assert {shown(mutator, value) for value in (1.0, 1.1, 7.0, 1e308)} == {1.0}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        Steps(least=0.0, step=0.5, values=3).apply(Score(value))
