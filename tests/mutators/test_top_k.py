"""Laws of TopK."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators import Mutator, Round, mutate
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


# What is hidden, in one sum.


def told(prediction: Probabilities, k: int, *rounds: int) -> Probabilities:
    chain: list[Mutator] = [TopK(k=k, other=True), *(Round(digits=digits) for digits in rounds)]
    result = mutate(chain, None, prediction)
    assert isinstance(result, Probabilities)
    return result


@given(probabilities, counts)
def test_the_classes_shown_are_the_same_whether_the_rest_is_told_or_not(
    prediction: Probabilities, k: int
) -> None:
    assert told(prediction, k).values.tolist() == shown(prediction, k).tolist()


@given(probabilities, counts)
def test_what_is_shown_and_the_rest_are_all_there_was(prediction: Probabilities, k: int) -> None:
    result = told(prediction, k)
    total = math.fsum(prediction.values.tolist())
    assert result.other is not None
    assert 0.0 <= result.other <= 1.0
    assert math.fsum([*result.values.tolist(), result.other]) == pytest.approx(total, abs=1e-12)


@given(probabilities, counts)
def test_the_rest_is_none_of_its_classes_or_all_of_them(prediction: Probabilities, k: int) -> None:
    """Whatever order they stand in: else the last digit would tell it."""
    backwards = told(Probabilities(prediction.values[::-1].copy()), k)
    if len(set(prediction.values.tolist())) == prediction.values.size:
        assert told(prediction, k).other == backwards.other


@given(probabilities, counts)
def test_the_more_is_shown_the_less_is_the_rest(prediction: Probabilities, k: int) -> None:
    fewer, more = told(prediction, k).other, told(prediction, k + 1).other
    assert fewer is not None
    assert more is not None
    assert more <= fewer


@given(probabilities, counts)
def test_nothing_is_left_to_sum_up_the_second_time(prediction: Probabilities, k: int) -> None:
    once = told(prediction, k)
    assert TopK(k=k, other=True).apply(once) is once


def test_what_was_hidden_before_is_part_of_the_rest() -> None:
    prediction = Probabilities(frozen([0.5, 0.25, 0.125, 0.125]))
    twice = TopK(k=1, other=True).apply(told(prediction, 2))
    assert isinstance(twice, Probabilities)
    assert (twice.values.tolist(), twice.other) == ([0.5, 0.0, 0.0, 0.0], 0.5)


def test_where_nothing_is_hidden_that_is_told() -> None:
    prediction = Probabilities(frozen([0.5, 0.5]))
    assert told(prediction, 2).other == 0.0
    assert told(Probabilities(frozen([])), 2).other == 0.0


def test_there_is_no_rest_of_log_probabilities() -> None:
    with pytest.raises(TypeError, match="no other for logprobs"):
        TopK(k=1, other=True).apply(Logprobs(Token("a", -1.0), ()))


@given(probabilities, counts, st.integers(0, 6))
def test_the_classes_are_rounded_as_if_the_rest_were_not_told(
    prediction: Probabilities, k: int, digits: int
) -> None:
    plain = mutate([TopK(k=k), Round(digits=digits)], None, prediction)
    assert isinstance(plain, Probabilities)
    assert told(prediction, k, digits).values.tolist() == plain.values.tolist()
    assert plain.other is None


@given(probabilities, counts, st.integers(0, 6))
def test_rounded_classes_and_rest_add_up_to_what_they_added_up_to(
    prediction: Probabilities, k: int, digits: int
) -> None:
    before, after = told(prediction, k), told(prediction, k, digits)
    step = 10.0**-digits
    assert before.other is not None
    assert after.other is not None
    assert after.other >= 0.0
    assert after.other == pytest.approx(round(after.other / step) * step)
    old = math.fsum(prediction.values.tolist())
    new = math.fsum([*after.values.tolist(), after.other])
    # To the nearest step; a single class that would vanish is kept at one.
    shown_before = math.fsum(before.values.tolist())
    assert abs(new - old) <= max(0.5 * step, step - shown_before) + 1e-6
    assert new <= max(old, 1.0) + 0.5 * step + 1e-9
    # Neither it nor any class is off by two steps.
    assert abs(after.other - before.other) < 2 * step


@given(probabilities, counts, st.integers(0, 6))
def test_rounded_again_nothing_changes(prediction: Probabilities, k: int, digits: int) -> None:
    once = told(prediction, k, digits)
    assert Round(digits=digits).apply(once) is once


def test_many_rows_have_no_place_for_what_is_hidden() -> None:
    with pytest.raises(TypeError, match="no place for other"):
        TopK(k=1, other=True).apply_rows("probabilities", np.array([[0.5, 0.5]]))
