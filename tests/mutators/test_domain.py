"""What is refused before any mutator computes with it."""

import math

import pytest

from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Mutator, Round, TopK
from extproc.prediction import Logprobs, Probabilities, Token
from tests.mutators.vectors import frozen

ON_CLASSES: list[Mutator] = [TopK(k=1), Round(digits=2), LabelOnly()]
ON_TOKENS: list[Mutator] = [TopK(k=1), Round(digits=2)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-9, -5e-324, 1.01, 1e300])
@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_what_is_no_probability_is_refused(mutator: Mutator, value: float) -> None:
    with pytest.raises(UpstreamError) as refused:
        mutator.apply(Probabilities(frozen([0.5, value, 0.1])))
    assert str(value) not in str(refused.value)


@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_certainty_may_be_overstated_by_float_error(mutator: Mutator) -> None:
    shown = mutator.apply(Probabilities(frozen([0.0, 1.0000002])))
    assert isinstance(shown, Probabilities)
    assert shown.values.argmax() == 1


@pytest.mark.parametrize("mutator", ON_CLASSES)
def test_no_classes_stay_no_classes(mutator: Mutator) -> None:
    nothing = Probabilities(frozen([]))
    assert mutator.apply(nothing) is nothing


@pytest.mark.parametrize("logprob", [math.nan, math.inf, -math.inf, 0.01, 800.0])
@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("mutator", ON_TOKENS)
def test_what_is_no_log_of_a_probability_is_refused(
    mutator: Mutator, logprob: float, chosen: bool
) -> None:
    wrong, right = Token("a", logprob), Token("b", -1.0)
    with pytest.raises(UpstreamError) as refused:
        mutator.apply(Logprobs(wrong, (right,)) if chosen else Logprobs(right, (right, wrong)))
    assert str(logprob) not in str(refused.value)
