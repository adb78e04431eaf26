"""Laws of NoisyMax, and the game that tells neighbours apart, with bugs that it must see."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.capacity import whole
from extproc.mutators.noisy_max import NoisyMax, Threshold
from extproc.prediction import Counts, Votes
from extproc.privacy import Cost, exact, gaussian_cost, normal, pure_cost
from tests.mutators.vectors import source
from tests.privacy.game import Game, holds, seen, sources

GAUSSIAN = NoisyMax(noise="gaussian", scale=4.0)
GUMBEL = NoisyMax(noise="gumbel", scale=2.0)
CHECKED = NoisyMax(noise="gaussian", scale=40.0, threshold=Threshold(votes=30, sigma=4.0))
votes = st.lists(st.integers(0, 10_000), min_size=1, max_size=40)
any_mutator = st.sampled_from([GAUSSIAN, GUMBEL, CHECKED])


def counted(*values: int) -> Votes:
    return Votes(np.array(values))


def told(mutator: NoisyMax, prediction: Votes, question: str = "what?") -> Counts:
    answer = mutator.apply(prediction, source(question))
    assert isinstance(answer, Votes)
    return answer.values


@given(any_mutator, votes)
def test_one_class_is_told_or_none(mutator: NoisyMax, values: list[int]) -> None:
    answer = told(mutator, counted(*values))
    assert answer.shape == (len(values),)
    assert answer.dtype == np.int64
    assert answer.sum() == 1 or (mutator.threshold is not None and not answer.any())
    assert set(answer.tolist()) <= {0, 1}


@given(any_mutator, st.integers(0, 9))
def test_a_class_that_nearly_all_chose_is_told(mutator: NoisyMax, most: int) -> None:
    values = [0] * 10
    values[most] = 10_000
    assert told(mutator, counted(*values)).argmax() == most


def test_of_other_votes_the_noise_is_another() -> None:
    """Else two answers to one question, before and after a model changed, would tell by how much
    the votes did: here both counts rise by one, so that shared noise would never change an answer.
    """
    pairs = [
        (told(GAUSSIAN, counted(50, 50), f"{n}")[0], told(GAUSSIAN, counted(51, 51), f"{n}")[0])
        for n in range(300)
    ]
    same = sum(first == second for first, second in pairs)
    assert abs(same - 150) < 4 * math.sqrt(75)


def test_the_check_s_noise_is_not_the_answer_s() -> None:
    """Where the check is barely passed, the class that is told is not the likelier for it."""
    close = NoisyMax(noise="gaussian", scale=4.0, threshold=Threshold(votes=54, sigma=4.0))
    passed = [told(close, counted(50, 50), f"{n}") for n in range(1500)]
    first = [answer[0] for answer in passed if answer.any()]
    assert len(first) > 150
    assert abs(sum(first) - len(first) / 2) < 4 * math.sqrt(len(first) / 4)


@pytest.mark.parametrize(
    "values",
    [np.array([], np.int64), np.array([3, -1]), np.array([1, 1 << 31]), np.ones(65_537, np.int64)],
)
def test_what_are_no_votes_is_refused(values: Counts) -> None:
    with pytest.raises(UpstreamError, match="votes are not counts"):
        GAUSSIAN.apply(Votes(values), source())


def test_an_answer_tells_which_class_or_none() -> None:
    assert GUMBEL.limit("votes", whole("votes", 10)).bits == math.log2(11)


def test_costs_are_those_of_one_vote_that_moves() -> None:
    assert GAUSSIAN.cost() == Cost(2 * 10**9 // 16)
    assert GUMBEL.cost() == pure_cost(Fraction(1), Fraction(1))
    assert GUMBEL.cost().epsilon == 10**9
    assert CHECKED.cost() == Cost(2 * 10**9 // 1600 + 10**9 // 16)


def test_an_answer_that_was_withheld_has_cost_the_check_alone() -> None:
    assert CHECKED.spent(counted(0, 0)) == Cost(10**9 // 16)
    assert CHECKED.spent(counted(0, 1)) == CHECKED.cost()
    assert GAUSSIAN.spent(counted(0, 1)) == GAUSSIAN.cost()
    assert GAUSSIAN.spent(counted(0, 0)) == GAUSSIAN.cost()


def tie(mutator: NoisyMax, draws: int = 5000) -> Game:
    """A vote leaves the second class for the first: normal noise's hardest case."""
    return seen(mutator, counted(51, 49), counted(50, 50), lambda answer: bool(answer[0]), draws)


def behind(mutator: NoisyMax, draws: int = 5000) -> Game:
    """And for a class that is behind: Gumbel noise's."""
    return seen(mutator, counted(49, 51), counted(48, 52), lambda answer: bool(answer[0]), draws)


def check(mutator: NoisyMax, draws: int = 5000) -> Game:
    return seen(mutator, counted(31, 9), counted(30, 10), lambda answer: bool(answer.any()), draws)


def test_neighbours_are_told_apart_no_better_than_is_claimed() -> None:
    assert holds(tie(GAUSSIAN), GAUSSIAN.cost())
    assert holds(behind(GUMBEL), GUMBEL.cost())
    assert holds(check(CHECKED), CHECKED.spent(counted(0, 0)))


def test_noise_of_half_the_width_is_seen() -> None:
    assert not holds(tie(NoisyMax(noise="gaussian", scale=2.0)), GAUSSIAN.cost())
    assert not holds(behind(NoisyMax(noise="gumbel", scale=1.0)), GUMBEL.cost())
    narrow = NoisyMax(noise="gaussian", scale=40.0, threshold=Threshold(votes=30, sigma=2.0))
    assert not holds(check(narrow), CHECKED.spent(counted(0, 0)))


def test_a_sensitivity_of_one_is_seen_to_be_too_small() -> None:
    """One vote that moves changes two counts."""
    narrow = NoisyMax(noise="gaussian", scale=1.0)
    assert holds(tie(narrow), narrow.cost())
    assert not holds(tie(narrow), gaussian_cost(Fraction(1), exact(1.0)))


@pytest.mark.parametrize(("width", "sound"), [(4.0, True), (2.0, False)])
def test_a_million_draws_of_each_neighbour_prove_no_more_than_is_claimed(
    width: float, sound: bool
) -> None:
    """Noise of many answers from one stream, as ``apply`` takes that of one."""
    draws, table = 1_000_000, normal(exact(width))
    counts = []
    for votes, label in ((np.array([51, 49]), b"one"), (np.array([50, 50]), b"other")):
        noise = [table.draw(each.input, 2000) for each in sources(draws // 1000, label)]
        answers = (votes + np.concatenate(noise).reshape(draws, 2)).argmax(axis=1)
        counts.append(int((answers == 0).sum()))
    game = Game(counts[0], counts[1], draws)
    assert holds(game, GAUSSIAN.cost()) is sound
    if sound:
        assert game.mu() > 0.95 * math.sqrt(2) / 4.0  # the claim is no larger than it has to be


@pytest.mark.slow
def test_a_million_real_answers_prove_no_more_than_is_claimed() -> None:
    game = tie(GAUSSIAN, 500_000)
    assert holds(game, GAUSSIAN.cost())
    assert not holds(game, Cost(GAUSSIAN.cost().gdp * 9 // 10))
