"""Laws of RandomizedResponse, and the game that tells labels apart, with a bug planted."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.capacity import whole
from extproc.mutators.randomized_response import RandomizedResponse
from extproc.prediction import Probabilities, Vector
from extproc.privacy import Cost, mu_of_pure
from tests.mutators.vectors import frozen, probabilities, source
from tests.privacy.game import Game, holds, seen

TWO = RandomizedResponse(epsilon=2.0)


def told(mutator: RandomizedResponse, prediction: Probabilities, question: str = "?") -> Vector:
    answer = mutator.apply(prediction, source(question))
    assert isinstance(answer, Probabilities)
    return answer.values


def sure(label: int, classes: int = 4) -> Probabilities:
    return Probabilities(np.eye(classes)[label] * 0.7)


@given(probabilities)
def test_a_label_is_told_and_nothing_else(prediction: Probabilities) -> None:
    values = told(TWO, prediction)
    assert values.shape == prediction.values.shape
    assert sorted(set(values.tolist())) in ([0.0, 1.0], [1.0], [])
    assert values.sum() == min(1, values.size)


@given(st.integers(0, 2**32))
def test_how_sure_a_model_is_changes_nothing(seed: int) -> None:
    other = np.random.default_rng(seed).dirichlet(np.ones(4))
    label = int(other.argmax())
    assert (told(TWO, Probabilities(other)) == told(TWO, sure(label))).all()


def test_the_truth_is_told_as_often_as_epsilon_says() -> None:
    seen_labels = Counter(int(told(TWO, sure(2), f"{n}").argmax()) for n in range(3000))
    odds = TWO.truth(4)
    assert odds == pytest.approx(math.exp(2) / (math.exp(2) + 3), rel=1e-9)
    assert abs(seen_labels[2] - 3000 * odds) < 4 * math.sqrt(3000 * odds * (1 - odds))
    assert all(seen_labels[lie] > 0 for lie in (0, 1, 3))


def test_of_another_label_the_draw_is_another() -> None:
    """Else two answers to one question would tell whether the model changed its mind."""
    pairs = [
        (told(TWO, sure(0), f"{n}").argmax() == 0, told(TWO, sure(1), f"{n}").argmax() == 1)
        for n in range(400)
    ]
    both = sum(first and second for first, second in pairs)
    odds = TWO.truth(4) ** 2
    assert abs(both - 400 * odds) < 4 * math.sqrt(400 * odds * (1 - odds))


def test_of_one_class_or_none_there_is_nothing_to_tell() -> None:
    assert told(TWO, Probabilities(frozen([]))).tolist() == []
    assert told(TWO, Probabilities(frozen([0.3]))).tolist() == [1.0]


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(UpstreamError):
        TWO.apply(Probabilities(frozen([math.nan, 1.0])), source())


def test_an_answer_tells_one_of_the_classes() -> None:
    assert TWO.limit("probabilities", whole("probabilities", 8)).bits == 3.0


def test_it_costs_its_epsilon() -> None:
    assert TWO.cost().epsilon == 2 * 10**9
    assert TWO.spent(sure(1)) == TWO.cost()
    assert TWO.cost().gdp == pytest.approx(mu_of_pure(2.0) ** 2 * 1e9, rel=1e-9)


def game(mutator: RandomizedResponse, classes: int) -> Game:
    one, other = sure(0, classes), sure(1, classes)
    return seen(mutator, one, other, lambda answer: bool(answer[0]), 5000)


@pytest.mark.parametrize("classes", [2, 10])
def test_labels_are_told_apart_no_better_than_is_claimed(classes: int) -> None:
    assert holds(game(TWO, classes), TWO.cost())
    assert game(TWO, classes).epsilon(0.0) > 1.5


@pytest.mark.parametrize("classes", [2, 10])
def test_too_much_truth_is_seen(classes: int) -> None:
    assert not holds(game(RandomizedResponse(epsilon=4.0), classes), Cost(10**12, 2 * 10**9))
