"""Laws of Round."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.round import Round
from extproc.mutators.top_k import TopK
from extproc.prediction import Logprobs, Probabilities, Score, Token, Vector
from tests.mutators.vectors import digits, frozen, logprobs, probabilities, softmaxes

ERROR = 1e-8
"""In steps: floats are measured to a billionth of a step."""


def shown(values: Vector, places: int) -> Vector:
    result = Round(digits=places).apply(Probabilities(values))
    assert isinstance(result, Probabilities)
    return result.values


def steps(values: Vector, places: int) -> npt.NDArray[np.int64]:
    """The answer in whole steps of the grid, which it must be the nearest floats to."""
    counts: npt.NDArray[np.int64] = np.rint(values * 10**places).astype(np.int64)
    nearest = [float(Decimal(int(count)).scaleb(-places)) for count in counts]
    assert values.tobytes() == np.array(nearest, dtype=np.float64).tobytes()
    return counts


def exact(values: Vector, places: int) -> list[Fraction]:
    return [Fraction(value) * 10**places for value in values.tolist()]


def truncated_one_hots(prediction: Probabilities) -> Probabilities:
    result = TopK(k=3).apply(prediction)
    assert isinstance(result, Probabilities)
    return result


inputs = st.one_of(probabilities, probabilities.map(truncated_one_hots))


@given(inputs, digits)
def test_the_sum_is_the_input_s_in_whole_steps(prediction: Probabilities, places: int) -> None:
    total = int(steps(shown(prediction.values, places), places).sum())
    wanted = sum(exact(prediction.values, places), Fraction(0))
    kept_label = 0 < wanted < Fraction(1, 2) and total == 1
    assert kept_label or abs(total - wanted) <= Fraction(1, 2) + Fraction(ERROR) * (
        1 + prediction.values.size
    )


@given(softmaxes, digits)
def test_a_distribution_still_sums_to_1(values: Vector, places: int) -> None:
    off = 1 if places == 6 else 0  # a float32 softmax of thousands of classes is off by 1e-6 itself
    assert abs(int(steps(shown(frozen(values), places), places).sum()) - 10**places) <= off


@given(inputs, digits)
@example(Probabilities(frozen([0.5 - 1e-12, 0.5])), 2)
@example(Probabilities(frozen([0.0, *[0.1] * 9, 0.1 + 1e-17 * 2])), 1)
@example(Probabilities(frozen([0.19, 0.2, 0.2, 0.2, 0.2])), 1)
def test_the_label_stays_and_no_lesser_class_becomes_its_equal(
    prediction: Probabilities, places: int
) -> None:
    values = prediction.values
    served = shown(values, places)
    if not values.any():
        assert not served.any()
        return
    assert served.argmax() == values.argmax()
    assert (values[served == served.max()] == values.max()).all()


@given(inputs, digits)
def test_order_is_kept_and_among_equals_the_first_comes_first(
    prediction: Probabilities, places: int
) -> None:
    order = np.argsort(-prediction.values, kind="stable")
    assert (np.diff(shown(prediction.values, places)[order]) <= 0).all()


def spreads(values: Vector, served: npt.NDArray[np.int64], places: int) -> list[float]:
    """How many steps apart the values were that are equals now, per group of equals."""
    ordered = values[np.argsort(-values, kind="stable")] * 10**places
    counts = np.sort(served)[::-1]
    starts = np.flatnonzero(np.diff(counts, prepend=-1))
    return [float(group[0] - group[-1]) for group in np.split(ordered, starts[1:])]


@given(inputs, digits)
def test_values_a_step_apart_stay_apart(prediction: Probabilities, places: int) -> None:
    values = prediction.values
    if not values.size:
        return
    served = steps(shown(values, places), places)
    floors = sum(math.floor(value + Fraction(ERROR)) for value in exact(values, places))
    # With no step left to hand out, one value pays for the top (the second example below).
    none_left = floors == served.sum()
    assert max(spreads(values, served, places)) < (2 if none_left else 1) + ERROR


@given(inputs, digits)
def test_no_class_is_off_by_two_steps_and_0_stays_0(prediction: Probabilities, places: int) -> None:
    served = shown(prediction.values, places)
    off = np.abs(steps(served, places) - prediction.values * 10**places)
    assert (off < 2).all()
    assert (np.count_nonzero(off >= 1 + ERROR)) <= 2
    assert not served[prediction.values == 0].any()


@given(inputs, digits)
def test_a_rounded_prediction_is_served_as_it_is(prediction: Probabilities, places: int) -> None:
    once = Round(digits=places).apply(prediction)
    assert once is not None
    assert Round(digits=places).apply(once) is once


@given(inputs, digits)
def test_equal_inputs_give_equal_bytes(prediction: Probabilities, places: int) -> None:
    values = prediction.values
    strided = np.repeat(values, 2)[::2]
    assert shown(values, places).tobytes() == shown(strided, places).tobytes()


@pytest.mark.parametrize(
    ("places", "values", "expected"),
    [
        (2, [1 / 3, 1 / 3, 1 / 3], [0.34, 0.33, 0.33]),
        (1, [0.26, 0.25, 0.25, 0.24], [0.4, 0.2, 0.2, 0.2]),  # largest remainder alone ties
        (2, [0.302, 0.301, 0.1], [0.31, 0.29, 0.1]),  # none left: the new equal pays
        (1, [0.12, 0.11, 0.0], [0.2, 0.0, 0.0]),  # none left: it pays a whole step
        (1, [0.21, 0.22, 0.215], [0.1, 0.3, 0.2]),  # none left: the least of them pays
        (1, [0.22, 0.215, 0.11, 0.09], [0.3, 0.2, 0.1, 0.0]),  # the step handed out last pays
        (1, [0.19, 0.2, 0.21, 0.2, 0.2], [0.1, 0.2, 0.3, 0.2, 0.2]),
        (1, [0.19, 0.2, 0.2, 0.2, 0.2], [0.1, 0.3, 0.2, 0.2, 0.2]),
        (2, [0.505, 0.495], [0.51, 0.49]),
        (2, [0.5000001, 0.4999999], [0.51, 0.49]),
        (2, [0.5, 0.5], [0.5, 0.5]),
        (0, [0.4, 0.35, 0.25], [1.0, 0.0, 0.0]),
        (0, [0.2, 0.3], [0.0, 1.0]),
        (2, [0.0, 0.004, 0.0], [0.0, 0.01, 0.0]),  # half a step is not reached: the label stays
        (2, [0.0, 5e-324], [0.0, 0.01]),
        (2, [0.07, 0.29, 0.64], [0.07, 0.29, 0.64]),
        (2, [-0.0, 0.0], [0.0, 0.0]),
        (3, [0.9999999], [1.0]),
    ],
)
def test_examples(places: int, values: list[float], expected: list[float]) -> None:
    assert shown(frozen(values), places).tobytes() == frozen(expected).tobytes()


def test_a_thousand_flat_classes_share_a_hundred_steps() -> None:
    values = np.full(1000, 1e-3)
    assert steps(shown(frozen(values), 2), 2).tolist() == [1] * 100 + [0] * 900
    values[700] += 1e-9
    served = steps(shown(frozen(values), 2), 2)
    assert served[700] == 2
    assert served.sum() == 100


@given(st.floats(allow_nan=False, allow_infinity=False), digits)
@example(1e15 + 0.5, 0)
def test_a_score_is_the_nearest_decimal(value: float, places: int) -> None:
    result = Round(digits=places).apply(Score(value))
    assert isinstance(result, Score)
    step = Decimal(1).scaleb(-places)
    if abs(value) < 2**52:
        assert result.value == float(Decimal(value).quantize(step))
    else:  # a whole number already
        assert result.value == value
    assert math.copysign(1.0, result.value) == 1.0 or result.value != 0.0
    assert Round(digits=places).apply(result) is result


@pytest.mark.parametrize(
    ("value", "expected"), [(0.125, 0.12), (0.375, 0.38), (-0.001, 0.0), (-0.0, 0.0), (2.5, 2.5)]
)
def test_scores_halfway_go_to_the_even_decimal_and_0_has_no_sign(
    value: float, expected: float
) -> None:
    result = Round(digits=2).apply(Score(value))
    assert isinstance(result, Score)
    assert repr(result.value) == repr(expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        Round(digits=2).apply(Score(value))


def rounded(prediction: Logprobs, places: int) -> Logprobs:
    result = Round(digits=places).apply(prediction)
    assert isinstance(result, Logprobs)
    return result


def pairs(before: Logprobs, after: Logprobs) -> list[tuple[Token, Token]]:
    assert len(before.alternatives) == len(after.alternatives)
    alternatives = zip(before.alternatives, after.alternatives, strict=True)
    return [(before.chosen, after.chosen), *alternatives]


@given(logprobs, digits)
def test_a_logprob_is_that_of_a_probability_on_the_grid(prediction: Logprobs, places: int) -> None:
    for before, after in pairs(prediction, rounded(prediction, places)):
        count = math.exp(after.logprob) * 10**places
        assert count == pytest.approx(round(count), abs=0.06)
        assert 1 <= round(count) <= 10**places
        wanted = max(1.0, math.exp(min(before.logprob, 0.0)) * 10**places)
        assert abs(round(count) - wanted) <= 0.5 + ERROR
        assert (after.text, after.raw) == (before.text, before.raw)
        assert repr(after.logprob) != "-0.0"


@given(logprobs, digits)
def test_logprobs_keep_their_order(prediction: Logprobs, places: int) -> None:
    ranked = sorted(pairs(prediction, rounded(prediction, places)), key=lambda p: p[0].logprob)
    after = [token.logprob for _, token in ranked]
    assert after == sorted(after)


@given(logprobs, digits)
def test_rounded_logprobs_are_served_as_they_are(prediction: Logprobs, places: int) -> None:
    once = rounded(prediction, places)
    assert Round(digits=places).apply(once) is once


def test_how_small_a_logprob_is_stays_hidden() -> None:
    unlikely = Logprobs(Token("a", -0.3), (Token("b", -7.0), Token("c", -9999.0)))
    after = rounded(unlikely, 2)
    assert [token.logprob for token in after.alternatives] == [-4.6052, -4.6052]
    assert after.chosen.logprob == -0.3011


HIDDEN = 8


def answers_of_a_model() -> Vector:
    """Log probabilities, shape (256 answers, 64 tokens), of a last layer of width HIDDEN."""
    rng = np.random.default_rng(7)
    logits = rng.standard_normal((256, HIDDEN)) @ rng.standard_normal((HIDDEN, 64))
    logs: Vector = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logs


def serve(logs: Vector, places: int) -> Vector:
    rows = (tuple(Token("", value) for value in row) for row in logs.tolist())
    served = (rounded(Logprobs(row[0], row), places).alternatives for row in rows)
    return np.array([[token.logprob for token in row] for row in served])


def gap(logs: Vector) -> float:
    """By how much the singular values fall where a thief looks for the width of the layer."""
    sizes = np.linalg.svd(logs - logs.mean(axis=1, keepdims=True), compute_uv=False)
    return float(sizes[HIDDEN - 1] / sizes[HIDDEN])


def test_two_digits_hide_the_width_of_the_last_layer_where_digits_of_the_log_would_not() -> None:
    logs = answers_of_a_model()
    assert gap(logs) > 1e9
    assert gap(np.round(logs, 2)) > 100
    assert gap(serve(logs, 6)) > 3  # documented: six digits are no defence
    assert gap(serve(logs, 2)) < 1.2
