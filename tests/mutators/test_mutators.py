"""What all mutators have in common."""

import math
from dataclasses import replace
from typing import cast, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators import (
    Bins,
    Codebook,
    DiscreteLaplace,
    Dither,
    Drop,
    Floor,
    Gaussian,
    Hash,
    Keyed,
    LabelOnly,
    Mark,
    MarkPositions,
    Mutator,
    Noise,
    NoisyMax,
    Quantize,
    RandomizedResponse,
    Rotate,
    Round,
    Similarity,
    Smooth,
    Steps,
    TopK,
    Truncate,
    Whole,
    limit,
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
    Vector,
    Votes,
)
from tests.mutators.vectors import MARKED, embeddings, frozen, probabilities, source

ALL: list[Mutator] = [
    TopK(k=1),
    Round(digits=2),
    LabelOnly(),
    Quantize(bits=8),
    Truncate(dimensions=2),
    Drop(),
    Bins(count=3),
    Codebook(bits=6),
    Floor(steps=100),
    Steps(least=0.0, step=0.1, values=11),
    Rotate(),
    Hash(bits=4),
    Dither(step=0.1),
    Noise(norm=0.1),
    Smooth(margin=0.5),
    Mark(rate=0.005),
    MarkPositions(strength=0.03),
    Similarity(digits=2),
    NoisyMax(noise="gaussian", scale=2.0),
    RandomizedResponse(epsilon=1.0),
    DiscreteLaplace(epsilon=1.0, low=0.0, high=1.0, step=0.1),
    Gaussian(clip=1.0, sigma=1.0, step=0.1),
]
SINGLY: list[Mutator] = [mutator for mutator in ALL if not isinstance(mutator, Whole)]
"""Those that work on one prediction."""
PLAIN: list[Mutator] = [mutator for mutator in SINGLY if not isinstance(mutator, Keyed)]
KEYED: list[Mutator] = [mutator for mutator in ALL if isinstance(mutator, Keyed)]
ON_CLASSES: list[Mutator] = [
    TopK(k=1),
    TopK(k=3),
    Round(digits=1),
    Round(digits=2),
    Bins(count=2),
    Bins(count=10),
    Codebook(bits=4),
    Codebook(bits=30),
    LabelOnly(),
]
SOURCE = replace(source(), cell=MARKED)
THREE = Probabilities(frozen([0.123, 0.7, 0.177]))
PREDICTIONS: dict[Kind, Prediction] = {
    "probabilities": Probabilities(frozen([0.123, 0.43, 0.447])),
    "score": Score(0.123),
    "logprobs": Logprobs(Token("a", -0.1), (Token("a", -0.1), Token("b", -3.0))),
    "embedding": Embedding(frozen([0.6, 0.0, 0.8])),
    "votes": Votes(np.array([3, 5, 2])),
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
        '{"kind": "noise", "norm": 0}',
        '{"kind": "dither", "step": 0}',
        '{"kind": "smooth", "margin": 0.6}',
        '{"kind": "bins", "count": 1}',
        '{"kind": "codebook", "bits": 0}',
        '{"kind": "floor", "steps": 1001}',
        '{"kind": "hash", "bits": 0}',
        '{"kind": "rotate", "seed": 1}',
        '{"kind": "steps", "least": 0, "step": 1, "values": 1}',
        '{"kind": "steps", "least": 0, "step": 0, "values": 2}',
        '{"kind": "steps", "least": -1e300, "step": 1, "values": 2}',
        '{"kind": "noisy_max", "noise": "laplace", "scale": 40}',
        '{"kind": "noisy_max", "noise": "gaussian", "scale": 0.1}',
        '{"kind": "noisy_max", "noise": "gumbel", "scale": 501}',
        '{"kind": "noisy_max", "noise": "gumbel", "scale": 4, "threshold": {"votes": 9}}',
        '{"kind": "randomized_response", "epsilon": 0}',
        '{"kind": "randomized_response", "epsilon": 21}',
        '{"kind": "discrete_laplace", "epsilon": 1, "low": 0, "high": 1, "step": 0.3}',
        '{"kind": "discrete_laplace", "epsilon": 1, "low": 0, "high": 0, "step": 0.3}',
        '{"kind": "discrete_laplace", "epsilon": 1, "low": 0, "high": 10, "step": 0.0001}',
        '{"kind": "gaussian", "clip": 1, "sigma": 1, "step": 2.1}',
        '{"kind": "gaussian", "clip": 1, "sigma": 1, "step": 0.0001}',
        '{"kind": "gaussian", "clip": 1, "sigma": 2, "step": 1.1}',
        '{"kind": "gaussian", "clip": 1000000, "sigma": 0.000001, "step": 0.000001}',
        '{"kind": "gaussian", "clip": 1, "step": 0.1}',
        '{"kind": "similarity"}',
        '{"kind": "similarity", "digits": 0}',
        '{"kind": "similarity", "digits": 5}',
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


def served(mutator: Mutator, prediction: Prediction) -> Prediction | None:
    return mutate([mutator], SOURCE, prediction)


def shown(mutator: Mutator, prediction: Probabilities) -> Vector:
    result = served(mutator, prediction)
    assert isinstance(result, Probabilities)
    return result.values


@pytest.mark.parametrize("kind", PREDICTIONS)
@pytest.mark.parametrize("mutator", SINGLY)
def test_a_kind_that_a_mutator_does_not_name_never_passes_it(mutator: Mutator, kind: Kind) -> None:
    prediction = PREDICTIONS[kind]
    if kind in mutator.KINDS:
        assert served(mutator, prediction) is not prediction
        return
    with pytest.raises(TypeError, match="know"):
        served(mutator, prediction)


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_nothing_passes_a_mutator_of_whole_answers_by_itself(kind: Kind) -> None:
    with pytest.raises(TypeError, match="one prediction alone"):
        mutate([Similarity(digits=2)], SOURCE, PREDICTIONS[kind])
    with pytest.raises(TypeError, match="one prediction alone"):
        mutate([Similarity(digits=2), Drop()], SOURCE, PREDICTIONS[kind])


@pytest.mark.parametrize("mutator", SINGLY)
def test_what_is_no_prediction_at_all_is_dropped(mutator: Mutator) -> None:
    assert served(mutator, cast("Prediction", b"raw")) is None


@pytest.mark.parametrize("mutator", KEYED)
def test_without_a_source_a_keyed_mutator_lets_nothing_pass(mutator: Mutator) -> None:
    (kind, *_) = mutator.KINDS
    with pytest.raises(TypeError, match="without a source"):
        mutate([mutator], None, PREDICTIONS[kind])


@pytest.mark.parametrize("mutator", PLAIN)
def test_a_plain_mutator_needs_no_source(mutator: Mutator) -> None:
    for kind in mutator.KINDS & PREDICTIONS.keys():
        before = PREDICTIONS[kind]
        plainly, beside = mutate([mutator], None, before), mutate([mutator], SOURCE, before)
        assert octets(plainly) == octets(beside)


def octets(prediction: Prediction | None) -> bytes:
    match prediction:
        case Probabilities(values) | Votes(values) | Embedding(values):
            return values.tobytes()
        case other:
            return repr(other).encode()


@pytest.mark.parametrize("mutator", [each for each in KEYED if not isinstance(each, Mark)])
def test_the_same_question_gets_the_same_answer_and_another_model_another(mutator: Mutator) -> None:
    for kind in mutator.KINDS:
        before = PREDICTIONS[kind]
        again = octets(mutate([mutator], source(), before))
        assert octets(mutate([mutator], source("What ?"), before)) == again
        others = {
            octets(mutate([mutator], source(tenant=f"{number}"), before)) for number in range(30)
        }
        assert len(others) > 1


@pytest.mark.parametrize("mutator", ON_CLASSES)
@given(prediction=probabilities)
def test_the_top_label_stays_and_has_no_equals_that_it_did_not_have(
    mutator: Mutator, prediction: Probabilities
) -> None:
    values, after = prediction.values, shown(mutator, prediction)
    assert after.shape == values.shape
    if values.any():
        assert after.argmax() == values.argmax()
        assert (values[after == after.max()] == values.max()).all()


@pytest.mark.parametrize("mutator", ON_CLASSES)
@given(prediction=probabilities)
def test_probabilities_stay_probabilities_in_their_order(
    mutator: Mutator, prediction: Probabilities
) -> None:
    after = shown(mutator, prediction)
    assert ((after >= 0) & (after <= 1.001)).all()
    assert after.sum() <= 1.01
    order = np.argsort(-prediction.values, kind="stable")
    assert (np.diff(after[order]) <= 0).all()


@pytest.mark.parametrize("mutator", [*ON_CLASSES, Quantize(bits=4), Truncate(dimensions=2)])
@given(data=st.data())
def test_what_is_served_would_be_served_as_it_is(mutator: Mutator, data: st.DataObject) -> None:
    on_classes = "probabilities" in mutator.KINDS
    before: Prediction
    before = data.draw(probabilities) if on_classes else data.draw(embeddings)
    once = served(mutator, before)
    assert once is not None
    assert served(mutator, once) is once


@pytest.mark.parametrize("mutator", ON_CLASSES)
@given(prediction=probabilities)
def test_equal_predictions_get_equal_bytes(mutator: Mutator, prediction: Probabilities) -> None:
    strided = Probabilities(np.repeat(prediction.values, 2)[::2])
    assert shown(mutator, prediction).tobytes() == shown(mutator, strided).tobytes()


def test_mutators_apply_in_the_order_they_are_given() -> None:
    first = mutate([TopK(k=2), Round(digits=2)], None, THREE)
    assert isinstance(first, Probabilities)
    assert first.values.tolist() == [0.0, 0.7, 0.18]
    second = mutate([Round(digits=1), TopK(k=1)], None, THREE)
    assert isinstance(second, Probabilities)
    assert second.values.tolist() == [0.0, 0.7, 0.0]


def test_after_a_drop_there_is_nothing_to_mutate() -> None:
    assert mutate([Drop(), Quantize(bits=1)], None, PREDICTIONS["score"]) is None


def test_without_mutators_a_prediction_passes_as_it_is() -> None:
    prediction = PREDICTIONS["score"]
    assert mutate([], None, prediction) is prediction


def test_a_chain_carries_no_more_than_any_of_its_mutators() -> None:
    assert limit([], "probabilities", 10).bits == 640
    assert limit([TopK(k=3), Round(digits=2)], "probabilities", 10).bits < 25
    assert limit([Round(digits=2), LabelOnly()], "probabilities", 10).bits == math.log2(10)
    assert limit([LabelOnly(), TopK(k=3)], "probabilities", 10).bits == math.log2(10)
