"""Laws of DiscreteLaplace, and the game that tells scores apart, with a bug planted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.capacity import whole
from extproc.mutators.discrete_laplace import DiscreteLaplace
from extproc.prediction import Score
from extproc.privacy import Cost
from tests.mutators.vectors import source
from tests.privacy.game import Game, holds, seen

TENTHS = DiscreteLaplace(epsilon=2.0, low=-0.3, high=0.7, step=0.1)
GRID = [round(-0.3 + 0.1 * place, 1) for place in range(11)]
scores = st.floats(-10, 10) | st.sampled_from([-0.3, 0.7, 0.65, -0.0, 5e-324])


def told(mutator: DiscreteLaplace, value: float, question: str = "what?") -> float:
    answer = mutator.apply(Score(value), source(question))
    assert isinstance(answer, Score)
    return answer.value


@given(scores, st.text(max_size=3))
def test_a_score_of_the_grid_is_told(value: float, question: str) -> None:
    answer = told(TENTHS, value, question)
    assert answer in GRID
    assert math.copysign(1.0, answer) == 1.0 or answer < 0.0  # no -0.0


def test_a_score_beyond_the_range_is_its_end() -> None:
    assert [told(TENTHS, value) for value in (0.7, 9.0)] == [told(TENTHS, 0.7)] * 2
    assert [told(TENTHS, value) for value in (-0.3, -9.0)] == [told(TENTHS, -0.3)] * 2


def test_the_noise_is_as_wide_as_epsilon_says_and_about_the_score() -> None:
    wide = DiscreteLaplace(epsilon=20.0, low=0.0, high=100.0, step=1.0)
    answers = [told(wide, 50.0, f"{n}") - 50.0 for n in range(2000)]
    fall = math.exp(-20.0 / 100.0)
    deviation = math.sqrt(2 * fall) / (1 - fall)
    assert abs(sum(answers) / 2000) < 4 * deviation / math.sqrt(2000)
    assert sum(each**2 for each in answers) / 2000 == pytest.approx(deviation**2, rel=0.2)


def test_of_another_score_the_noise_is_another() -> None:
    wide = DiscreteLaplace(epsilon=20.0, low=0.0, high=100.0, step=1.0)
    apart = {told(wide, 51.0, f"{n}") - told(wide, 50.0, f"{n}") for n in range(100)}
    assert len(apart) > 10


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        TENTHS.apply(Score(value), source())


def test_an_answer_tells_one_of_the_scores_and_costs_its_epsilon() -> None:
    assert TENTHS.limit("score", whole("score", 1)).bits == math.log2(11)
    assert TENTHS.cost().epsilon == 2 * 10**9


def game(mutator: DiscreteLaplace) -> Game:
    """The ends of the range, by whether the least is told."""
    return seen(mutator, Score(-5.0), Score(5.0), lambda value: bool(value < -0.25), 5000)


def test_scores_are_told_apart_no_better_than_is_claimed() -> None:
    assert holds(game(TENTHS), TENTHS.cost())
    assert game(TENTHS).epsilon(0.0) > 1.5


def test_noise_of_half_the_width_is_seen() -> None:
    narrow = DiscreteLaplace(epsilon=4.0, low=-0.3, high=0.7, step=0.1)
    assert not holds(game(narrow), Cost(10**12, 2 * 10**9))
