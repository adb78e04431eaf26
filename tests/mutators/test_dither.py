"""Laws of Dither."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped
from extproc.mutators.dither import Dither
from extproc.prediction import Embedding, Score, Vector
from tests.mutators.vectors import distance, embeddings, frozen, gaussian, source


def shown(values: Vector, step: float, question: str = "what?", **more: str) -> Vector:
    result = Dither(step=step).apply(Embedding(values), source(question, **more))
    assert isinstance(result, Embedding)
    return result.values


def score(value: float, step: float, question: str = "what?") -> float:
    result = Dither(step=step).apply(Score(value), source(question))
    assert isinstance(result, Score)
    return result.value


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.text())
def test_a_score_is_within_half_a_step(value: float, step: float, question: str) -> None:
    assert abs(score(value, step, question) - value) <= step * 0.5 + 1e-9


def test_a_score_s_error_is_uniform_and_says_nothing_of_the_score() -> None:
    truths = np.linspace(-3.0, 3.0, 3000)
    errors = np.array([score(truth, 0.7, f"{n}") - truth for n, truth in enumerate(truths)])
    assert distance(errors, errors / 0.7 + 0.5) < 1.95
    assert abs(np.corrcoef(truths, errors)[0, 1]) < 4 / math.sqrt(truths.size)
    assert abs(np.corrcoef(errors[1:], errors[:-1])[0, 1]) < 4 / math.sqrt(truths.size)


@pytest.mark.parametrize("truth", [0.0, 0.1234, 0.35, -7.77])
def test_over_keys_a_score_is_unbiased(truth: float) -> None:
    answers = [score(truth, 1.0, f"{number}") for number in range(10_000)]
    assert abs(np.mean(answers) - truth) < 4 * math.sqrt(1 / 12 / 10_000)


def test_the_same_question_finds_the_same_point_where_the_model_wavers() -> None:
    truth = 0.4321
    answers = {score(truth + wobble * 1e-7, 0.1) for wobble in range(-5, 6)}
    assert len(answers) == 1


@given(embeddings, st.floats(1e-3, 0.5))
def test_a_vector_keeps_two_digits_of_its_length(prediction: Embedding, step: float) -> None:
    served = shown(prediction.values, step)
    assert norm(served) == pytest.approx(snapped(norm(prediction.values)), rel=1e-9)


def test_a_vector_keeps_its_direction_as_far_as_the_step_says() -> None:
    for step in (0.005, 0.02, 0.04):
        values = gaussian(1, 384)
        error = float(np.linalg.norm(shown(values, step) - values))
        expected = step * math.sqrt(384 / 12)
        assert error == pytest.approx(expected, rel=0.15)


def test_a_vector_s_error_is_independent_from_input_to_input() -> None:
    values = gaussian(1, 384)
    errors = [shown(values, 0.04, f"{number}") - values for number in range(100)]
    cosines = [
        float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))
        for first, second in itertools.pairwise(errors)
    ]
    assert abs(np.mean(cosines)) < 0.05


@given(st.integers(0, 2**32), st.floats(1e-3, 1e3))
def test_scale_changes_nothing_but_the_scale(seed: int, scale: float) -> None:
    """Where two digits of the length say so."""
    values = gaussian(seed, 20)
    factor = snapped(scale)
    np.testing.assert_allclose(
        shown(frozen(values * factor), 0.1), shown(values, 0.1) * factor, rtol=1e-6, atol=1e-9
    )


def test_one_component_between_grid_and_offset_is_still_a_vector() -> None:
    for number in range(50):
        assert abs(shown(frozen([1.0]), 1e6, f"{number}")[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[], [0.0, -0.0], [1e-200, -1e-200]])
def test_nothing_becomes_zeros_without_a_sign(values: list[float]) -> None:
    assert shown(frozen(values), 0.1).tobytes() == np.zeros(len(values)).tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        shown(frozen([1.0, value]), 0.1)
    with pytest.raises(UpstreamError):
        score(value, 0.1)
