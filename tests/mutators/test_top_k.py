"""Laws of TopK."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators.top_k import TopK
from extproc.prediction import Logprobs, Probabilities, Token, Vector
from tests.mutators.vectors import frozen, logprobs, probabilities

counts = st.integers(1, 20)


def shown(prediction: Probabilities, k: int) -> Vector:
    result = TopK(k=k).apply(prediction)
    assert isinstance(result, Probabilities)
    return result.values


def best(values: list[float], k: int) -> list[int]:
    return sorted(range(len(values)), key=lambda index: (-values[index], index))[:k]


@given(probabilities, counts)
def test_the_k_largest_stay_and_all_others_are_0(prediction: Probabilities, k: int) -> None:
    values = prediction.values.tolist()
    kept = set(best(values, k))
    expected = [value if index in kept else 0.0 for index, value in enumerate(values)]
    assert shown(prediction, k).tolist() == expected


@given(probabilities, counts)
def test_the_label_stays(prediction: Probabilities, k: int) -> None:
    if prediction.values.size:
        assert shown(prediction, k).argmax() == prediction.values.argmax()


@given(probabilities, counts)
def test_nothing_is_left_to_cut_the_second_time(prediction: Probabilities, k: int) -> None:
    once = TopK(k=k).apply(prediction)
    assert once is not None
    assert TopK(k=k).apply(once) is once


def test_of_equals_the_first_are_kept() -> None:
    prediction = Probabilities(frozen([0.1, 0.3, 0.3, 0.3]))
    assert shown(prediction, 2).tolist() == [0.0, 0.3, 0.3, 0.0]


def test_where_all_are_kept_nothing_is_copied() -> None:
    prediction = Probabilities(frozen([0.1, 0.0, 0.9]))
    assert TopK(k=2).apply(prediction) is prediction


def test_hidden_mass_is_not_spread() -> None:
    assert np.sum(shown(Probabilities(frozen([0.5, 0.3, 0.2])), 1)) == 0.5


@given(logprobs, counts)
def test_the_k_best_alternatives_stay_in_their_order(prediction: Logprobs, k: int) -> None:
    result = TopK(k=k).apply(prediction)
    assert isinstance(result, Logprobs)
    kept = sorted(best([token.logprob for token in prediction.alternatives], k))
    assert result.chosen is prediction.chosen
    assert result.alternatives == tuple(prediction.alternatives[index] for index in kept)


def test_alternatives_are_ranked_even_where_the_model_server_did_not() -> None:
    worst, best_, second = Token("a", -9.0), Token("b", -0.1), Token("c", -2.0)
    result = TopK(k=2).apply(Logprobs(second, (worst, second, best_)))
    assert result == Logprobs(second, (second, best_))


def test_few_alternatives_are_not_copied() -> None:
    prediction = Logprobs(Token("a", -1.0), (Token("a", -1.0), Token("b", -2.0)))
    assert TopK(k=2).apply(prediction) is prediction
