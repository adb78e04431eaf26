"""No more predictions come out than are counted: all of them, for small ones."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Quantize,
    RandomizedResponse,
    Rotate,
    Round,
    Similarity,
    Smooth,
    Steps,
    TopK,
    Truncate,
    limit,
    mutate,
)
from extproc.mutators.capacity import Capacity, places, sums, whole
from extproc.prediction import (
    KINDS,
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Token,
)
from tests.mutators.vectors import frozen, source

SLACK = 1e-9
"""Two ways to write one logarithm differ in the last bit."""


def compositions(classes: int, total: int) -> Iterator[tuple[int, ...]]:
    """Every way to share up to so many parts among so many classes."""
    for counts in itertools.product(range(total + 1), repeat=classes):
        if sum(counts) <= total:
            yield counts


def every_probabilities(classes: int, fineness: int) -> Iterator[Probabilities]:
    """On a grid so fine that each answer comes up; sums up to what is let pass."""
    most = math.floor(1.01 * fineness)
    for counts in compositions(classes, most):
        if max(counts) <= fineness:
            yield Probabilities(frozen([count / fineness for count in counts]))


def distinct(predictions: Iterator[Any], chain: Sequence[Mutator]) -> int:
    """How many different answers there are, for one draw."""
    drawn = source()
    return len({octets(mutate(chain, drawn, prediction)) for prediction in predictions})


def octets(prediction: Prediction | None) -> bytes:
    match prediction:
        case Probabilities(values, other):
            return values.tobytes() + repr(other).encode()
        case Embedding(values):
            return values.tobytes()
        case other:
            return repr(other).encode()


CLASSES: list[tuple[Sequence[Mutator], int, int]] = [
    ([Round(digits=0)], 4, 10),
    ([Round(digits=1)], 2, 100),
    ([Round(digits=1)], 3, 40),
    ([Round(digits=2)], 2, 200),
    ([Bins(count=2)], 3, 20),
    ([Bins(count=10)], 2, 200),
    ([Codebook(bits=1)], 3, 40),
    ([Codebook(bits=4)], 2, 100),
    ([Codebook(bits=6)], 3, 24),
    ([Codebook(bits=7)], 1, 2000),
    ([LabelOnly()], 4, 12),
    ([TopK(k=1), Round(digits=1)], 3, 24),
    ([TopK(k=2), Round(digits=1)], 4, 20),
    ([Round(digits=1), TopK(k=1)], 3, 24),
    ([TopK(k=1, other=True), Round(digits=0)], 3, 24),
    ([TopK(k=1, other=True), Round(digits=1)], 3, 40),
    ([TopK(k=1, other=True), Round(digits=1)], 4, 20),
    ([TopK(k=2, other=True), Round(digits=1)], 3, 40),
    ([TopK(k=2, other=True), Round(digits=1)], 4, 20),
    ([TopK(k=3, other=True), Round(digits=1)], 3, 24),
    ([TopK(k=1, other=True), Round(digits=2)], 2, 200),
    ([TopK(k=1, other=True), Round(digits=2), Round(digits=1)], 2, 200),
    ([Round(digits=1), TopK(k=1, other=True)], 3, 24),
    ([Round(digits=1), TopK(k=1, other=True), Round(digits=1)], 3, 24),
    ([Codebook(bits=4), TopK(k=1, other=True)], 3, 24),
    ([TopK(k=1, other=True)], 2, 30),
    ([Round(digits=1), Bins(count=3)], 3, 24),
    ([Bins(count=4), Round(digits=1)], 3, 24),
    ([Round(digits=1), Codebook(bits=3)], 3, 24),
    ([Smooth(margin=0.3), LabelOnly()], 3, 24),
    ([RandomizedResponse(epsilon=1.0)], 3, 24),
    ([RandomizedResponse(epsilon=1.0), Round(digits=1)], 3, 24),
    ([Round(digits=1), Smooth(margin=0.3)], 3, 24),
    ([Drop()], 2, 10),
]


@pytest.mark.parametrize(("chain", "classes", "fineness"), CLASSES)
def test_no_more_probabilities_come_out_than_are_counted(
    chain: Sequence[Mutator], classes: int, fineness: int
) -> None:
    counted = limit(chain, "probabilities", classes).bits
    assert math.log2(distinct(every_probabilities(classes, fineness), chain)) <= counted + SLACK


@pytest.mark.parametrize(
    ("chain", "classes", "fineness"),
    [
        ([Round(digits=1)], 3, 40),
        ([Round(digits=2)], 2, 200),
        ([Bins(count=10)], 2, 200),
        ([LabelOnly()], 4, 12),
        ([Codebook(bits=6)], 3, 24),
        ([TopK(k=1, other=True), Round(digits=1)], 3, 40),
    ],
)
def test_what_is_counted_is_not_far_from_what_comes_out(
    chain: Sequence[Mutator], classes: int, fineness: int
) -> None:
    counted = limit(chain, "probabilities", classes).bits
    assert math.log2(distinct(every_probabilities(classes, fineness), chain)) > counted - 1.5


def every_embedding(dimensions: int) -> Iterator[Embedding]:
    """Directions all round at a few lengths, and what no model says."""
    grid = [number / 8 for number in range(-8, 9, 1 if dimensions < 3 else 2)]
    for values in itertools.product(grid, repeat=dimensions):
        for scale in (1.0, 0.31, 7.7):
            yield Embedding(frozen(values) * scale)


EMBEDDINGS: list[tuple[Sequence[Mutator], int]] = [
    ([Quantize(bits=1)], 2),
    ([Quantize(bits=1)], 3),
    ([Quantize(bits=2)], 2),
    ([Quantize(bits=3)], 2),
    ([Truncate(dimensions=1), Quantize(bits=1)], 3),
    ([Quantize(bits=1), Truncate(dimensions=1)], 2),
    ([Quantize(bits=1), Rotate()], 2),
    ([Rotate(), Quantize(bits=1)], 2),
    ([Hash(bits=1)], 2),
    ([Hash(bits=3)], 2),
    ([Hash(bits=8)], 2),
    ([Quantize(bits=1), Hash(bits=6)], 3),
    ([Quantize(bits=1), Noise(norm=0.1)], 2),
    ([Dither(step=0.5)], 2),
    ([Dither(step=2.0)], 3),
    ([Dither(step=1e6)], 2),
]


@pytest.mark.parametrize(("chain", "dimensions"), EMBEDDINGS)
def test_no_more_embeddings_come_out_than_are_counted(
    chain: Sequence[Mutator], dimensions: int
) -> None:
    counted = limit(chain, "embedding", dimensions).bits
    assert math.log2(distinct(every_embedding(dimensions), chain)) <= counted + SLACK


@pytest.mark.parametrize(("inputs", "dimensions"), [(1, 2), (2, 2), (3, 2), (3, 3), (4, 1)])
def test_no_more_matrices_come_out_than_are_counted(inputs: int, dimensions: int) -> None:
    """Of all answers on a grid of vectors; and no more of the rows of one input."""
    grid = [-1.0, -0.4, 0.0, 0.7] if dimensions * inputs < 9 else [-1.0, 0.0, 0.7]
    vectors = [Embedding(frozen(each)) for each in itertools.product(grid, repeat=dimensions)]
    mutator = Similarity(digits=1)
    answers = [mutator.apply_all(each) for each in itertools.product(vectors, repeat=inputs)]
    matrices = {b"".join(octets(row) for row in answer) for answer in answers}
    counted = mutator.bits(whole("embedding", dimensions), inputs)
    assert math.log2(len(matrices)) <= counted + SLACK
    row = limit([mutator], "embedding", dimensions, inputs).bits
    for at in range(inputs):
        assert math.log2(len({octets(answer[at]) for answer in answers})) <= row + SLACK


def test_every_cosine_of_two_inputs_that_is_counted_comes_out() -> None:
    mutator, first = Similarity(digits=1), Embedding(frozen([1.0, 0.0]))
    angles = [number / 500 for number in range(3142)]
    told = {
        octets(mutator.apply_all([first, Embedding(frozen([math.cos(a), math.sin(a)]))])[0])
        for a in angles
    }
    assert math.log2(len(told)) == mutator.bits(whole("embedding", 2), 2)
    assert math.log2(len(told)) == limit([mutator], "embedding", 2, 2).bits


def test_cosines_tell_no_more_than_the_vectors_did() -> None:
    before: list[Mutator] = [Quantize(bits=1), Truncate(dimensions=1), Hash(bits=2)]
    chain: list[Mutator] = [*before, Similarity(digits=4)]
    assert limit(chain, "embedding", 8, 100).bits == 200.0
    assert Similarity(digits=4).bits(limit(before, "embedding", 8), 100) == 200.0
    assert limit([Similarity(digits=2)], "embedding", 1536, 1).bits == 0.0
    two = limit([Similarity(digits=2)], "embedding", 1536, 2)
    assert (two.size, two.shown, two.bits) == (2, 2, math.log2(201))


@pytest.mark.parametrize("step", [0.1, 0.13, 0.5, 1.0, 2.5])
def test_no_more_codes_come_out_of_a_component_than_are_counted(step: float) -> None:
    """Of one length, the longest that two digits call 1; counted without the digits."""
    lengths = [Embedding(frozen([number / 2000, 0.0])) for number in range(-2099, 2100) if number]
    angles = [number / 500 for number in range(3142)]
    round_ = [Embedding(frozen([1.049 * math.cos(a), 1.049 * math.sin(a)])) for a in angles]
    drawn, mutator = source(), Dither(step=step)
    offsets = drawn.input.child(b"dither").uniform(2) - 0.5
    codes = {
        float(code)
        for prediction in round_
        for code in [math.floor(prediction.values[0] / step + offsets[0] + 0.5)]
    }
    bound = limit([mutator], "embedding", 1).bits - math.log2(90 * 306 + 1)
    assert math.log2(len(codes)) <= bound
    assert len({octets(mutate([mutator], drawn, each)) for each in lengths}) > 1


@pytest.mark.parametrize(
    "chain",
    [
        [Steps(least=-1.0, step=2.0, values=2)],
        [Steps(least=0.0, step=0.1, values=8)],
        [Steps(least=0.0, step=0.25, values=5), Round(digits=1)],
        [Round(digits=1), Steps(least=0.0, step=0.33, values=4)],
        [Steps(least=0.0, step=0.25, values=5), Dither(step=0.3)],
    ],
)
def test_no_more_scores_come_out_than_are_counted(chain: Sequence[Mutator]) -> None:
    scores = (Score(number / 500) for number in range(-1000, 1001))
    assert math.log2(distinct(scores, chain)) <= limit(chain, "score", 1).bits + SLACK


def every_logprobs(alternatives: int) -> Iterator[Logprobs]:
    """Of a vocabulary of two tokens."""
    logs = [-0.0, *(math.log(number / 40) for number in range(1, 40)), -30.0, -9999.0]
    tokens = [Token(text, log) for text in "ab" for log in logs]
    for chosen in tokens:
        for others in itertools.product(tokens, repeat=alternatives):
            yield Logprobs(chosen, others)


@pytest.mark.parametrize(
    "chain",
    [
        [Floor(steps=2)],
        [Floor(steps=10)],
        [Round(digits=1)],
        [TopK(k=1), Floor(steps=5)],
        [Round(digits=2), Floor(steps=4)],
        [LabelOnly()],
    ],
)
def test_no_more_logprobs_come_out_than_are_counted(chain: Sequence[Mutator]) -> None:
    """The bound counts a million tokens where this vocabulary has two."""
    counted = limit(chain, "logprobs", 1)
    fewer = counted.size * (20.0 - 1.0) if counted.bits else 0.0
    assert math.log2(distinct(every_logprobs(1), chain)) <= counted.bits - fewer + SLACK


LADDERS: list[tuple[Kind, list[Sequence[Mutator]]]] = [
    ("probabilities", [[Round(digits=digits)] for digits in range(7)]),
    ("probabilities", [[TopK(k=k)] for k in range(1, 40)]),
    ("probabilities", [[TopK(k=k), Round(digits=2)] for k in range(1, 40)]),
    ("probabilities", [[TopK(k=k, other=True)] for k in range(1, 40)]),
    ("probabilities", [[TopK(k=k, other=True), Round(digits=2)] for k in range(1, 40)]),
    ("probabilities", [[TopK(k=3, other=True), Round(digits=digits)] for digits in range(7)]),
    ("probabilities", [[LabelOnly()], *([Bins(count=count)] for count in range(2, 101))]),
    ("probabilities", [[Codebook(bits=bits)] for bits in range(1, 257)]),
    ("embedding", [[Quantize(bits=bits)] for bits in range(1, 17)]),
    ("embedding", [[Truncate(dimensions=size)] for size in range(1, 40)]),
    ("embedding", [[Hash(bits=bits)] for bits in range(1, 1000, 7)]),
    ("embedding", [[Dither(step=1 / number)] for number in range(1, 100)]),
    ("score", [[Steps(least=0.0, step=0.1, values=values)] for values in range(2, 300)]),
    ("logprobs", [[Floor(steps=steps)] for steps in range(2, 1001)]),
    ("logprobs", [[TopK(k=k)] for k in range(1, 40)]),
    ("logprobs", [[Round(digits=digits)] for digits in range(7)]),
]


@pytest.mark.parametrize(("kind", "ladder"), LADDERS)
@pytest.mark.parametrize("size", [0, 1, 2, 10, 100, 1536])
def test_what_is_finer_carries_no_less(
    kind: Kind, ladder: list[Sequence[Mutator]], size: int
) -> None:
    bits = [limit(chain, kind, size).bits for chain in ladder]
    assert all(0.0 <= coarse <= fine + 1e-9 for coarse, fine in itertools.pairwise(bits))
    assert bits[-1] <= whole(kind, size).bits


@given(
    st.lists(
        st.sampled_from([chain[-1] for kind, ladder in LADDERS for chain in ladder[:3]]), max_size=4
    ),
    st.sampled_from(["probabilities", "embedding", "score", "logprobs"]),
    st.integers(0, 2000),
)
def test_one_more_mutator_never_lets_more_through(
    mutators: list[Mutator], kind: Kind, size: int
) -> None:
    chain = [mutator for mutator in mutators if kind in mutator.KINDS]
    bits = [limit(chain[:count], kind, size).bits for count in range(len(chain) + 1)]
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] >= 0.0


@pytest.mark.parametrize("mutator", [Rotate(), Noise(norm=0.3), Dither(step=1e-6)])
def test_what_a_secret_moves_is_all_still_there(mutator: Mutator) -> None:
    assert limit([mutator], "embedding", 100).bits > 2000


@given(st.integers(0, 40), st.integers(0, 40))
def test_places_and_sums_are_counted(size: int, most: int) -> None:
    ways = sum(math.comb(size, count) for count in range(min(size, most) + 1))
    assert 2 ** places(size, most) == pytest.approx(ways if most < size else 1)
    exact = math.log2(math.comb(size + most, size))
    assert exact <= sums(size, most) <= exact + 2e-6


@given(st.integers(100, 3000), st.integers(65, 3000))
def test_many_places_are_no_fewer_than_are_counted(size: int, shown: int) -> None:
    ways = sum(math.comb(size, count) for count in range(min(size, shown) + 1))
    counted = places(size, shown)
    assert counted <= size
    if shown < size:
        assert math.log2(ways) <= counted + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_knows_the_size_of_carries_any_amount(kind: Kind) -> None:
    unknown = {"tensor", "usage", "usage_detail", "timing", "identity"}
    assert math.isfinite(whole(kind, 7).bits) is (kind not in unknown)
    assert Drop().limit(kind, whole(kind, 7)).bits == 0.0
    assert Drop().limit(kind, whole(kind, 0)).bits == 0.0


@pytest.mark.parametrize("classes", [0, 1, 2, 10])
def test_a_label_is_one_of_the_classes(classes: int) -> None:
    assert 2 ** whole("label", classes).bits == pytest.approx(max(1, classes))


@pytest.mark.parametrize("kind", ["text", "reasoning"])
def test_a_text_is_counted_by_its_tokens(kind: Kind) -> None:
    assert [whole(kind, tokens).bits for tokens in (0, 1, 256)] == [0.0, 20.0, 5120.0]


def test_a_capacity_only_shrinks() -> None:
    before = Capacity(size=10, shown=3, depth=8.0, bits=30.0)
    assert before.least() == before
    assert before.least(shown=5).shown == 3
    assert before.least(size=2) == Capacity(2, 2, 8.0, 16.0)
    assert before.least(20.0, depth=64.0).bits == 20.0


@pytest.mark.parametrize("size", [2, 10, 1000])
@pytest.mark.parametrize("k", [1, 3, 2000])
def test_what_is_hidden_is_counted_where_it_is_told(size: int, k: int) -> None:
    plain: list[Mutator] = [TopK(k=k)]
    told: list[Mutator] = [TopK(k=k, other=True)]
    rounded = [[*chain, Round(digits=2)] for chain in (plain, told)]
    assert limit(told, "probabilities", size).other == 64.0
    assert limit(plain, "probabilities", size).other == 0.0
    bits = [limit(chain, "probabilities", size).bits for chain in (plain, told)]
    # A function of all there was is no more than that.
    assert bits[0] <= bits[1] <= size * 64.0
    grown = [limit(chain, "probabilities", size).bits for chain in rounded]
    assert grown[0] <= grown[1] <= grown[0] + math.log2(102)
