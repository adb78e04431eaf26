"""Bits of an answer: never fewer than there are answers, and never more behind one more mutator."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import (
    GeminiGenerate,
    KServeV2,
    OpenAIChat,
    OpenAIEmbeddings,
    OpenAIModerations,
    VllmPooling,
)
from extproc.fidelity import Fidelity
from extproc.inventory.report import Assumed, Told
from extproc.inventory.telling import told_of, written
from extproc.mutators import (
    Bins,
    Codebook,
    Dither,
    Drop,
    Floor,
    Hash,
    LabelOnly,
    Mutator,
    Noise,
    NoisyMax,
    Quantize,
    Rotate,
    Round,
    Similarity,
    Smooth,
    Steps,
    TopK,
    Truncate,
)
from extproc.prediction import Embedding, Kind
from tests.mutators.test_capacity import CLASSES, distinct, every_probabilities
from tests.mutators.test_mutators import ALL
from tests.mutators.vectors import frozen

CLASSIFIER = KServeV2(outputs={"p": "probabilities", "s": "score"})
PLAIN = Assumed()


def told(
    dialect: Any, kinds: dict[Kind, Any], assumed: Assumed = PLAIN, inputs: int = 1
) -> dict[Kind, Told]:
    return {each.kind: each for each in told_of(dialect, Fidelity("t", kinds), assumed, inputs)}


def one(kind: Kind, chain: Any, assumed: Assumed = PLAIN, inputs: int = 1) -> Told:
    of = {"embedding": OpenAIEmbeddings(), "logprobs": OpenAIChat()}
    return told(of.get(kind, CLASSIFIER), {kind: chain}, assumed, inputs)[kind]


FEW = [each for each in CLASSES if each[1] <= 3 and each[2] <= 24]
"""The others are tried with the mutators themselves."""


@pytest.mark.parametrize(("chain", "classes", "fineness"), FEW)
def test_there_are_no_more_answers_than_bits_are_told(
    chain: Any, classes: int, fineness: int
) -> None:
    count = distinct(every_probabilities(classes, fineness), chain)
    bits = one("probabilities", chain, Assumed(classes=classes)).bits
    assert math.log2(count) <= bits + 1e-9


@pytest.mark.parametrize(("inputs", "dimensions"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_of_compared_vectors_all_shares_together_are_the_answer(
    inputs: int, dimensions: int
) -> None:
    grid = [np.array(values) for values in itertools.product((-1.0, 0.0, 1.0), repeat=dimensions)]
    mutator = Similarity(digits=1)
    answers = {
        b"".join(
            row.values.tobytes() for row in mutator.apply_all([Embedding(frozen(v)) for v in each])
        )
        for each in itertools.product(grid, repeat=inputs)
    }
    share = one("embedding", (mutator,), Assumed(dimensions=dimensions), inputs).bits
    assert math.log2(len(answers)) <= inputs * share + 1e-9


def test_what_does_not_pass_is_not_told() -> None:
    assert told(OpenAIChat(), {"embedding": (), "text": ()}).keys() == {"text"}


def test_known_sizes() -> None:
    assert one("probabilities", ()).bits == 640
    assert one("probabilities", (LabelOnly(),)).bits == math.log2(10)
    assert one("embedding", (), Assumed(dimensions=1536)).bits == 1536 * 64
    assert one("logprobs", (), Assumed(alternatives=3, tokens=5)).bits == 5 * 4 * 84
    chat = told(OpenAIChat(), {"text": (), "reasoning": (), "usage": ()}, Assumed(tokens=7))
    assert [chat[kind].bits for kind in ("text", "reasoning", "usage")] == [140, 140, 0]
    assert told(KServeV2(), {"tensor": ()})["tensor"].bits == math.inf
    assert told(KServeV2(outputs={"l": "label"}), {"label": ()})["label"].bits == math.log2(10)


def test_every_prediction_of_an_answer_counts() -> None:
    two = KServeV2(outputs={"a": "score", "b": "score"})
    assert told(two, {"score": ()})["score"].bits == 128
    assert told(OpenAIModerations(), {"score": ()}, Assumed(classes=13))["score"].bits == 13 * 64
    gemini = told(GeminiGenerate(), {"logprobs": ()}, Assumed(tokens=5, alternatives=0))
    assert gemini["logprobs"].bits == (5 + 2) * 84
    tokens = told(VllmPooling(holds="embedding"), {"embedding": (Quantize(bits=1),)})["embedding"]
    assert (tokens.predictions, tokens.bits > 256 * 384) == (256, True)


@pytest.mark.parametrize(
    ("kind", "chain", "least", "most"),
    [
        ("probabilities", (), 64, 64),
        ("probabilities", (TopK(k=1),), 64, 64),
        ("probabilities", (Round(digits=2),), 6, 7),
        ("probabilities", (TopK(k=1, other=True),), 32, 64),
        ("probabilities", (TopK(k=1, other=True), Round(digits=4)), 12, 14),
        ("probabilities", (Bins(count=3),), 1, 2),
        ("probabilities", (Codebook(bits=8),), 1, 8),
        ("probabilities", (LabelOnly(),), 0, 0),
        ("score", (), 64, 64),
        ("score", (Round(digits=2),), 64, 64),
        ("score", (Steps(least=0.0, step=0.1, values=11),), 3, 4),
        ("logprobs", (), 64, 64),
        ("logprobs", (Floor(steps=100),), 6, 7),
        ("embedding", (), 49, 50),
        ("embedding", (Truncate(dimensions=64),), 49, 50),
        ("embedding", (Truncate(dimensions=4),), 0, 1),
        ("embedding", (Quantize(bits=8),), 7.9, 8.1),
        ("embedding", (Rotate(), Quantize(bits=1)), 0.9, 1.1),
        ("embedding", (Hash(bits=64),), 0, 0.2),
        ("embedding", (Similarity(digits=2),), 7, 8),
    ],
)
def test_what_one_number_keeps(kind: Kind, chain: Any, least: float, most: float) -> None:
    assert least <= one(kind, chain).number <= most


@pytest.mark.parametrize(
    ("chain", "own"),
    [
        ((), False),
        ((Quantize(bits=1),), False),
        ((Rotate(), Quantize(bits=8)), True),
        ((Hash(bits=64),), True),
        ((Similarity(digits=2),), True),
    ],
)
def test_whose_space_a_vector_lies_in(chain: Any, own: bool) -> None:
    assert one("embedding", chain).own_space is own


@pytest.mark.parametrize("inputs", [1, 2, 16, 128])
@pytest.mark.parametrize("bits", [1, 8])
def test_comparing_vectors_tells_no_more_than_they_do(inputs: int, bits: int) -> None:
    chain = (Quantize(bits=bits),)
    compared = one("embedding", (*chain, Similarity(digits=4)), inputs=inputs)
    assert compared.bits <= one("embedding", chain).bits


KNOWN: tuple[Kind, ...] = ("probabilities", "score", "logprobs", "embedding")


@given(
    st.sampled_from(KNOWN),
    st.lists(st.sampled_from([each for each in ALL if not isinstance(each, Similarity)])),
    st.booleans(),
    st.integers(1, 500),
    st.integers(1, 128),
)
def test_one_more_mutator_tells_no_more(
    kind: Kind, mutators: list[Mutator], compared: bool, size: int, inputs: int
) -> None:
    chain = [each for each in mutators if kind in each.KINDS]
    if compared and kind == "embedding":
        chain.append(Similarity(digits=4))
    assumed = Assumed(classes=size, dimensions=size, alternatives=size)
    steps = [one(kind, chain[:count], assumed, inputs) for count in range(len(chain) + 1)]
    for before, after in itertools.pairwise(steps):
        assert after.bits <= before.bits + 1e-9
        assert after.number <= before.number + 1e-9
        assert after.own_space >= before.own_space


@pytest.mark.parametrize(
    ("mutator", "text"),
    [
        (TopK(k=3), "top_k k 3"),
        (TopK(k=3, other=True), "top_k k 3 other true"),
        (Rotate(), "rotate"),
        (NoisyMax(noise="gumbel", scale=40.0), "noisy_max noise gumbel scale 40.0"),
        (Drop(), "drop"),
        (Smooth(margin=0.1), "smooth margin 0.1"),
        (Noise(norm=0.3), "noise norm 0.3"),
        (Dither(step=0.5), "dither step 0.5"),
    ],
)
def test_a_mutator_is_written_as_the_policy_has_it(mutator: Mutator, text: str) -> None:
    assert written(mutator) == text
