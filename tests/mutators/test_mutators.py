"""What all mutators have in common."""

from typing import cast, get_args

import msgspec
import pytest

from extproc.mutators import (
    Drop,
    LabelOnly,
    Mutator,
    Quantize,
    Round,
    TopK,
    Truncate,
    mutate,
)
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Token,
)
from tests.mutators.vectors import frozen

ALL: list[Mutator] = [
    TopK(k=1),
    Round(digits=2),
    LabelOnly(),
    Quantize(bits=8),
    Truncate(dimensions=2),
    Drop(),
]
PREDICTIONS: dict[Kind, Prediction] = {
    "probabilities": Probabilities(frozen([0.123, 0.7, 0.177])),
    "score": Score(0.123),
    "logprobs": Logprobs(Token("a", -0.1), (Token("a", -0.1), Token("b", -3.0))),
    "embedding": Embedding(frozen([0.6, 0.0, 0.8])),
}


def read(text: str) -> Mutator:
    # mypy cannot see that a union is a form of type
    return cast("Mutator", msgspec.json.decode(text, type=Mutator))


def test_every_mutator_is_in_the_table_of_this_test() -> None:
    assert {type(mutator) for mutator in ALL} == set(get_args(Mutator))


@pytest.mark.parametrize("mutator", ALL)
def test_a_mutator_is_read_as_it_is_written(mutator: Mutator) -> None:
    assert read(msgspec.json.encode(mutator).decode()) == mutator


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "top_k", "k": 0}',
        '{"kind": "top_k"}',
        '{"kind": "round", "digits": -1}',
        '{"kind": "round", "digits": 7}',
        '{"kind": "quantize", "bits": 0}',
        '{"kind": "quantize", "bits": 17}',
        '{"kind": "truncate", "dimensions": 0}',
        '{"kind": "drop", "k": 1}',
        '{"kind": "label_only", "bins": 3}',
        '{"kind": "noise", "sigma": 1}',
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


@pytest.mark.parametrize("kind", PREDICTIONS)
@pytest.mark.parametrize("mutator", ALL)
def test_a_kind_that_a_mutator_does_not_name_never_passes_it(mutator: Mutator, kind: Kind) -> None:
    prediction = PREDICTIONS[kind]
    if kind in mutator.KINDS:
        assert mutator.apply(prediction) is not prediction
        return
    with pytest.raises(TypeError, match="know"):
        mutator.apply(prediction)


@pytest.mark.parametrize("mutator", ALL)
def test_what_is_no_prediction_at_all_is_dropped(mutator: Mutator) -> None:
    assert mutator.apply(cast("Prediction", b"raw")) is None


def test_mutators_apply_in_the_order_they_are_given() -> None:
    prediction = PREDICTIONS["probabilities"]
    shown = mutate([TopK(k=2), Round(digits=2)], None, prediction)
    assert isinstance(shown, Probabilities)
    assert shown.values.tolist() == [0.0, 0.7, 0.18]
    shown = mutate([Round(digits=2), TopK(k=2)], None, prediction)
    assert isinstance(shown, Probabilities)
    assert shown.values.tolist() == [0.0, 0.7, 0.18]
    shown = mutate([Round(digits=1), TopK(k=1)], None, prediction)
    assert isinstance(shown, Probabilities)
    assert shown.values.tolist() == [0.0, 0.7, 0.0]


def test_after_a_drop_there_is_nothing_to_mutate() -> None:
    assert mutate([Drop(), Quantize(bits=1)], None, PREDICTIONS["score"]) is None


def test_without_mutators_a_prediction_passes_as_it_is() -> None:
    prediction = PREDICTIONS["score"]
    assert mutate([], None, prediction) is prediction
