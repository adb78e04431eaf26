"""What is refused before any mutator computes with it."""

import math

import pytest

from extproc.errors import UpstreamError
from extproc.mutators import Bins, Codebook, Floor, LabelOnly, Mutator, Round, Smooth, TopK, mutate
from extproc.prediction import Logprobs, Prediction, Probabilities, Token
from tests.mutators.vectors import frozen, source

ON_CLASSES: list[Mutator] = [
    TopK(k=1),
    Round(digits=2),
    LabelOnly(),
    Bins(count=3),
    Codebook(bits=9),
    Smooth(margin=0.1),
]
ON_TOKENS: list[Mutator] = [TopK(k=1), Round(digits=2), Floor(steps=100)]


def served(mutator: Mutator, prediction: Prediction) -> Prediction | None:
    return mutate([mutator], source(), prediction)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-9, -5e-324, 1.01, 1e300])
@pytest.mark.parametrize("rest", [1, 100])
@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_what_is_no_probability_is_refused(mutator: Mutator, rest: int, value: float) -> None:
    for values in ([0.5, value, *[0.0] * rest], [value, *[0.0] * rest], [*[0.0] * rest, value]):
        with pytest.raises(UpstreamError) as refused:
            served(mutator, Probabilities(frozen(values)))
        assert str(value) not in str(refused.value)


@pytest.mark.parametrize("classes", [3, 100])
@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_probabilities_that_promise_more_than_certainty_are_refused(
    mutator: Mutator, classes: int
) -> None:
    served(mutator, Probabilities(frozen([1.009 / classes] * classes)))
    with pytest.raises(UpstreamError):
        served(mutator, Probabilities(frozen([1.011 / classes] * classes)))


@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_certainty_may_be_overstated_by_float_error(mutator: Mutator) -> None:
    shown = served(mutator, Probabilities(frozen([0.0, 1.0000002])))
    assert isinstance(shown, Probabilities)
    assert shown.values.argmax() == 1


@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_no_classes_stay_no_classes(mutator: Mutator) -> None:
    nothing = Probabilities(frozen([]))
    assert served(mutator, nothing) is nothing


@pytest.mark.parametrize("logprob", [math.nan, math.inf, -math.inf, 0.01, 800.0])
@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("mutator", ON_TOKENS)
def test_what_is_no_log_of_a_probability_is_refused(
    mutator: Mutator, logprob: float, chosen: bool
) -> None:
    wrong, right = Token("a", logprob), Token("b", -1.0)
    with pytest.raises(UpstreamError) as refused:
        served(mutator, Logprobs(wrong, (right,)) if chosen else Logprobs(right, (right, wrong)))
    assert str(logprob) not in str(refused.value)
