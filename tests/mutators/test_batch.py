"""The law of batches: many predictions at once are, bit for bit, what they are one by one."""

from collections.abc import Sequence
from typing import Any, get_args

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from extproc.errors import UpstreamError
from extproc.mutators import (
    Bins,
    Codebook,
    Floor,
    LabelOnly,
    Mutator,
    Quantize,
    Round,
    Steps,
    TopK,
    Truncate,
    mutate,
)
from extproc.mutators.batch import ByRows, ByTokens, mutate_rows, mutate_tokens
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Token,
    Tokens,
)
from tests.mutators.vectors import frozen, logprobs

ON_CLASSES: list[ByRows] = [
    *(Round(digits=digits) for digits in (0, 1, 2, 3, 6)),
    *(TopK(k=k) for k in (1, 2, 3, 30)),
    LabelOnly(),
    Bins(count=2),
    Bins(count=100),
    Codebook(bits=4),
    Codebook(bits=30),
]
ON_VECTORS: list[ByRows] = [
    *(Quantize(bits=bits) for bits in (1, 2, 3, 5, 7, 8, 16)),
    *(Truncate(dimensions=dimensions) for dimensions in (1, 2, 8, 64)),
]
ON_SCORES: list[ByRows] = [Round(digits=2), Steps(least=-1.0, step=0.1, values=21)]
SIZES = st.sampled_from([1, 2, 3, 5, 10, 63, 64, 65, 200, 700])


def _softmax(random: np.random.Generator, rows: int, width: int) -> Matrix:
    values = np.exp(random.standard_normal((rows, width)) * random.choice([1e-9, 0.1, 1, 5, 20]))
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def _within_one(values: Matrix) -> Matrix:
    return np.asarray(values / np.maximum(values.sum(axis=1, keepdims=True), 1.0))


def _probabilities(seed: int, rows: int, width: int, sort: str) -> Matrix:
    random = np.random.default_rng(seed)
    values = _softmax(random, rows, width)
    if sort == "single":
        values = values.astype(np.float32).astype(np.float64)
    elif sort == "decimals":
        values = _within_one(np.round(values, int(random.integers(1, 5))))
    elif sort == "tied":
        values = _within_one(random.integers(0, 4, (rows, width)).astype(np.float64))
    elif sort == "tiny":
        values = random.choice([0.0, -0.0, 5e-324, 1e-300, 1e-12, 1e-6], (rows, width))
    elif sort == "sparse":
        values[random.random((rows, width)) < 0.7] *= -0.0
    elif sort == "certain":
        values = np.eye(width)[random.integers(0, width, rows)]
    elif sort == "over":
        values *= random.choice([1.0005, 1.01, 1.0100000000001])
    values[random.random(rows) < 0.1] = 0.0
    return frozen(values)


SORTS = ["double", "single", "decimals", "tied", "tiny", "sparse", "certain", "over"]
classes = st.builds(
    _probabilities, st.integers(0, 2**32), st.integers(1, 30), SIZES, st.sampled_from(SORTS)
)


def _vectors(seed: int, rows: int, width: int, sort: str) -> Matrix:
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, width))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    if sort == "single":
        values = values.astype(np.float32).astype(np.float64)
    elif sort == "any length":
        values *= 10.0 ** random.integers(-170, 120, (rows, 1))
    elif sort == "between two digits":
        values *= random.choice([1.05, 0.995, 1.15, 9.95, 0.0105], (rows, 1))
    elif sort == "sparse":
        values[random.random((rows, width)) < 0.9] *= -0.0
    values[random.random(rows) < 0.1] = -0.0
    return frozen(values)


vectors = st.builds(
    _vectors,
    st.integers(0, 2**32),
    st.integers(1, 30),
    SIZES,
    st.sampled_from(["unit", "single", "any length", "between two digits", "sparse"]),
)
scores = st.lists(
    st.floats(-9, 9) | st.sampled_from([0.0, -0.0, 0.5, 1e300, 0.125]), min_size=1, max_size=9
).map(lambda values: frozen([[value] for value in values]))


def by_row(chain: Sequence[Mutator], kind: Kind, rows: Matrix) -> tuple[Any, ...]:
    """Shape and octets of the rows one by one, and whether each is the very object it was."""
    before = [_prediction(kind, row) for row in rows]
    try:
        after = [mutate(chain, None, each) for each in before]
    except UpstreamError as error:
        return (str(error),)
    numbers = np.array([_values(each) for each in after])
    same = all(new is old for new, old in zip(after, before, strict=True))
    return numbers.shape, numbers.tobytes(), same


def at_once(chain: Sequence[ByRows], kind: Kind, rows: Matrix) -> tuple[Any, ...]:
    try:
        after = mutate_rows(chain, kind, rows)
    except UpstreamError as error:
        return (str(error),)
    assert after.flags.c_contiguous
    return after.shape, after.tobytes(), after is rows


def _prediction(kind: Kind, row: Any) -> Prediction:
    if kind == "score":
        return Score(float(row[0]))
    return Probabilities(row) if kind == "probabilities" else Embedding(row)


def _values(prediction: Prediction | None) -> Any:
    match prediction:
        case Probabilities(values) | Embedding(values):
            return values
        case Score(value):
            return [value]
        case _:
            raise AssertionError(prediction)


@pytest.mark.parametrize("mutator", ON_CLASSES, ids=repr)
@given(rows=classes)
@example(frozen([[0.19, 0.2, 0.2, 0.2, 0.2], [0.5, 0.5, 0.0, 0.0, 0.0]]))
@example(frozen([[0.302, 0.301, 0.1], [0.21, 0.22, 0.215], [-0.0, 1.0, 0.0], [0.0, 0.0, 5e-324]]))
@example(frozen([[0.5, np.nan], [0.5, 0.5]]))
@example(frozen([[0.5, -0.1], [0.5, 0.5]]))
def test_probabilities(mutator: ByRows, rows: Matrix) -> None:
    assert at_once([mutator], "probabilities", rows) == by_row([mutator], "probabilities", rows)


@given(classes, st.sampled_from(ON_CLASSES), st.sampled_from(ON_CLASSES))
@settings(max_examples=200)
def test_chains(rows: Matrix, one: ByRows, other: ByRows) -> None:
    chain = [one, other]
    assert at_once(chain, "probabilities", rows) == by_row(chain, "probabilities", rows)


@pytest.mark.parametrize("mutator", ON_VECTORS, ids=repr)
@given(rows=vectors)
@example(frozen([[1.0, np.inf], [0.5, 0.5]]))
def test_embeddings(mutator: ByRows, rows: Matrix) -> None:
    assert at_once([mutator], "embedding", rows) == by_row([mutator], "embedding", rows)
    chain = [Truncate(dimensions=5), mutator]
    assert at_once(chain, "embedding", rows) == by_row(chain, "embedding", rows)


@pytest.mark.parametrize("mutator", ON_SCORES, ids=repr)
@given(rows=scores)
@example(frozen([[0.5], [np.inf]]))
def test_scores(mutator: ByRows, rows: Matrix) -> None:
    assert at_once([mutator], "score", rows) == by_row([mutator], "score", rows)


@pytest.mark.parametrize(
    "chain",
    [
        [TopK(k=1)],
        [TopK(k=3)],
        [Round(digits=0)],
        [Round(digits=3)],
        [Round(digits=6)],
        [Floor(steps=100)],
        [TopK(k=2), Round(digits=2)],
        [Round(digits=1), TopK(k=1), Floor(steps=2)],
    ],
    ids=repr,
)
@given(predictions=st.lists(logprobs, max_size=6))
@example([Logprobs(Token("a", -1.0), ()), Logprobs(Token("b", float("nan")), ())])
@example([Logprobs(Token("a", 0.5), ())])
@example([Logprobs(Token("a", float("-inf")), ())])
def test_logprobs(chain: list[ByTokens], predictions: list[Logprobs]) -> None:
    assert tokens_at_once(chain, predictions) == tokens_one_by_one(chain, predictions)


def tokens_one_by_one(chain: Sequence[Mutator], predictions: list[Logprobs]) -> Any:
    """Of each whether it is the very object it was, and text and log of what is left."""
    try:
        after = [mutate(chain, None, each) for each in predictions]
    except UpstreamError as error:
        return str(error)
    told = []
    for new, old in zip(after, predictions, strict=True):
        assert isinstance(new, Logprobs)
        left = (new.chosen, *new.alternatives)
        told.append((new is old, [(token.text, repr(token.logprob)) for token in left]))
    return told


def tokens_at_once(chain: Sequence[ByTokens], predictions: list[Logprobs]) -> Any:
    flat = [token for each in predictions for token in (each.chosen, *each.alternatives)]
    sizes = [1 + len(each.alternatives) for each in predictions]
    try:
        after = mutate_tokens(chain, Tokens.of([token.logprob for token in flat], sizes))
    except UpstreamError as error:
        return str(error)
    told, start = [], 0
    for size, length in zip(sizes, after.sizes.tolist(), strict=True):
        span = slice(start, start + length)
        left = zip(after.places[span].tolist(), after.logprobs[span].tolist(), strict=True)
        same = size == length and not after.changed[span].any()
        told.append((same, [(flat[place].text, repr(value)) for place, value in left]))
        start += length
    return told


def test_every_sort_is_tried_and_every_mutator() -> None:
    tried = {type(each) for each in (*ON_CLASSES, *ON_VECTORS, *ON_SCORES)}
    assert tried == set(get_args(ByRows))


def test_rows_of_a_kind_that_a_mutator_does_not_know_never_pass_it() -> None:
    for mutator in (*ON_CLASSES, *ON_VECTORS, *ON_SCORES):
        for kind in {"probabilities", "score", "embedding"} - mutator.KINDS:
            with pytest.raises(TypeError, match="does not know"):
                mutate_rows([mutator], kind, frozen([[0.5]]))  # type: ignore[arg-type]
