"""Laws of LabelOnly."""

from hypothesis import given

from extproc.mutators.label_only import LabelOnly
from extproc.prediction import Logprobs, Probabilities, Vector
from tests.mutators.vectors import frozen, logprobs, probabilities


def shown(prediction: Probabilities) -> Vector:
    result = LabelOnly().apply(prediction)
    assert isinstance(result, Probabilities)
    return result.values


@given(probabilities)
def test_only_the_label_is_left(prediction: Probabilities) -> None:
    values = prediction.values.tolist()
    label = values.index(max(values)) if values else None
    assert shown(prediction).tolist() == [float(index == label) for index in range(len(values))]


def test_answers_with_one_label_are_the_same_bytes() -> None:
    sure, unsure = frozen([0.01, 0.98, 0.01]), frozen([0.33, 0.34, 0.33])
    assert shown(Probabilities(sure)).tobytes() == shown(Probabilities(unsure)).tobytes()


def test_the_first_of_equals_is_the_label() -> None:
    assert shown(Probabilities(frozen([0.2, 0.4, 0.4]))).tolist() == [0.0, 1.0, 0.0]


def test_a_label_is_not_copied() -> None:
    prediction = Probabilities(frozen([0.0, 1.0]))
    assert LabelOnly().apply(prediction) is prediction


@given(logprobs)
def test_a_token_needs_no_label_beside_its_text(prediction: Logprobs) -> None:
    assert LabelOnly().apply(prediction) is None
