"""What is counted of an answer: by size where it passes, and nothing where it is dropped."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.dialects.answers import at_once
from extproc.dialects.confidences import SCORE
from extproc.dialects.mutation import Batched, Mutation
from extproc.dialects.openai_logprobs import ENTRIES
from extproc.dialects.shape import Anything, Fields, Gate, Items, Keep, Node, Opaque, Rewrite
from extproc.dialects.told import Measure, Told, rounded_up
from extproc.dialects.turns import in_turns
from extproc.dialects.value_stream import ValueStream
from extproc.dialects.vectors import VECTOR, Tensor
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Tokens


@dataclass(frozen=True, slots=True)
class Sized(Measure):
    """A prediction of size 10 costs 10 bits, and a label what is asked about it."""

    classes: int = 8

    def __call__(self, kind: Kind, size: int) -> float:
        return 3.0 if kind == "label" else float(size)


def told(node: Node, value: Any, *kinds: Kind) -> Told:
    """What is counted, as a document, in steps, and as a stream of values alike."""
    edits: dict[Kind, Mutation | None] = dict.fromkeys(kinds)
    run = Rewrite(edits, "m", told=Told(measure=Sized()))
    node.rewrite(value, run, "")
    streamed = Rewrite(edits, "m", told=Told(measure=Sized()))
    values = ValueStream(Fields({"it": node}), streamed, 1 << 20)
    for octet in orjson.dumps({"it": value}):
        values.feed(bytes([octet]))
    values.finish()
    stepwise = Rewrite(edits, "m", told=Told(measure=Sized()))
    at_once(in_turns(node, value, stepwise, "", 1 << 20))
    for other in (streamed.told, stepwise.told):
        assert (other.bits, other.octets) == (run.told.bits, run.told.octets)
        assert other.within is run.told.within is None
    return run.told


def test_nothing_is_counted_where_nobody_measures() -> None:
    run = Rewrite({"embedding": None, "text": None}, "m")
    node = Fields({"v": VECTOR, "t": Opaque("text"), "g": Gate("text", Items(Keep()))})
    node.rewrite({"v": [0.5], "t": "x", "g": ["y"]}, run, "")
    assert (run.told.bits, run.told.octets) == ({}, {})


def test_a_prediction_counts_by_its_size_and_one_that_is_dropped_not_at_all() -> None:
    assert told(VECTOR, [0.5] * 10, "embedding").bits == {"embedding": 10.0}
    run = Rewrite({"embedding": lambda _source, _vector: None}, "m", told=Told(measure=Sized()))
    VECTOR.rewrite([0.5] * 10, run, "")
    assert run.told.bits == {}


def test_what_no_mutator_reads_counts_each_scalar() -> None:
    node = Gate("text", Fields({"id": Keep(), "name": Keep(), "args": Anything()}))
    counted = told(node, {"id": "call_1", "name": "add", "args": {"a": 27}}, "text")
    assert counted.octets == {"text": len("add") + 1 + len('{"a":27}') + 1}
    assert told(Gate("label", Items(Keep())), ["x", "y", None], "label").bits == {"label": 6.0}
    assert told(Gate("label", Anything()), [["x"], {"y": 1}], "label").bits == {"label": 9.0}
    assert told(Gate("tensor", Anything()), [[1, 2], [3.5]], "tensor").bits == {"tensor": 3.0}
    assert told(Gate("tensor", Anything()), ["x" * 14], "tensor").bits == {"tensor": 2.0}
    assert told(Tensor(), [0.5, 0.25], "tensor").bits == {"tensor": 2.0}


@pytest.mark.parametrize("value", [None, True, 7, 0.5, "é", ""])
def test_a_scalar_counts_the_octets_it_is_written_in(value: Any) -> None:
    octets = {} if value is None else {"text": 1 + len(orjson.dumps(value).strip(b'"'))}
    assert told(Fields({"t": Opaque("text")}), {"t": value}, "text").octets == octets


def test_what_is_no_prediction_counts_nothing() -> None:
    node = Fields({"n": Opaque("usage"), "at": Opaque("timing"), "id": Keep(), "m": Anything()})
    counted = told(node, {"n": 5, "at": 0.5, "id": "x", "m": {"a": 1}}, "usage", "timing")
    assert (counted.bits, counted.octets) == ({}, {})


def test_a_gate_within_another_is_of_its_own_kind() -> None:
    inner = Fields({"a": Keep(), "u": Gate("usage", Fields({"n": Keep()})), "b": Keep()})
    counted = told(Gate("text", inner), {"a": "x", "u": {"n": 5}, "b": "y"}, "text", "usage")
    assert counted.octets == {"text": 4}
    deeper = Gate("text", Fields({"r": Gate("reasoning", Items(Keep())), "b": Keep()}))
    counted = told(deeper, {"r": ["why"], "b": "y"}, "text", "reasoning")
    assert counted.octets == {"text": 2, "reasoning": 4}


def test_what_is_nested_too_deeply_to_be_counted_is_not_served() -> None:
    deep: Any = []
    for _ in range(2000):
        deep = [deep]
    run = Rewrite({"text": None}, "m", told=Told(measure=Sized()))
    with pytest.raises(UpstreamError, match="nested too deeply"):
        Gate("text", Anything()).rewrite(deep, run, "")
    assert run.told.within is None


def test_a_token_counts_by_its_alternatives() -> None:
    entry = {"token": "a", "logprob": -0.1, "top_logprobs": [{"token": "b", "logprob": -2.0}] * 4}
    assert told(Gate("logprobs", ENTRIES), [entry] * 2, "logprobs").bits == {"logprobs": 8.0}
    edits: dict[Kind, Mutation | None] = {"logprobs": lambda _source, logprobs: logprobs}
    run = Rewrite(edits, "m", told=Told(measure=Sized()))
    ENTRIES.rewrite([entry] * 2, run, "")
    assert run.told.bits == {"logprobs": 8.0}


def test_none_of_a_prediction_counts_nothing() -> None:
    counted = Told(measure=Sized())
    counted.count("label", 1, 0)
    assert counted.bits == {}


def test_many_predictions_at_once_count_as_one_by_one() -> None:
    counted = Told(measure=Sized())
    rows = Batched(lambda _source, one: one, rows=lambda rows: rows, tokens=lambda tokens: tokens)
    run = Rewrite({"probabilities": rows, "logprobs": rows}, "m", told=counted)
    by_rows, by_tokens = run.rows("probabilities"), run.tokens()
    assert by_rows is not None
    assert by_tokens is not None
    matrix = np.zeros((3, 5))
    assert by_rows(matrix) is matrix
    tokens = Tokens.of([-0.1] * 7, [1, 3, 3])
    assert by_tokens(tokens) is tokens
    assert counted.bits == {"probabilities": 15.0, "logprobs": 4.0}
    counted.count_tokens([])
    assert counted.bits["logprobs"] == 4.0


def test_batches_are_not_counted_where_nobody_measures() -> None:
    edit = Batched(lambda _source, one: one, rows=lambda rows: rows, tokens=lambda tokens: tokens)
    run = Rewrite({"probabilities": edit, "logprobs": edit}, "m")
    assert run.rows("probabilities") is edit.rows
    assert run.tokens() is edit.tokens
    run.told.count_tokens([2])
    run.told.count_names(2, 2)
    assert run.told.bits == {}


@pytest.mark.parametrize(
    ("shown", "of", "scored", "bits"),
    [
        (0, 8, True, None),
        (1, 8, True, 0.0),
        (3, 8, True, rounded_up(2.5849625)),
        (3, 7, True, 9.0),
        (1, 8, False, 3.0),
    ],
)
def test_names_count_what_they_tell_beside_their_probabilities(
    shown: int, of: int, scored: bool, bits: float | None
) -> None:
    counted = Told(measure=Sized())
    counted.count_names(shown, of, scored=scored)
    assert counted.bits == ({} if bits is None else {"label": bits})


def test_octets_of_texts_and_of_tensors() -> None:
    counted = Told(measure=Sized())
    counted.pass_octets("text", 5)
    counted.pass_octets("tensor", 17)
    assert (counted.octets, counted.bits) == ({"text": 6}, {"tensor": 3.0})
    counted.pass_inner("outside")
    assert counted.octets == {"text": 6}


def test_a_score_in_a_leaf_counts_one() -> None:
    assert told(SCORE, 0.5, "score").bits == {"score": 1.0}


@pytest.mark.parametrize("bits", [0.0, 1 / 3, 2.5, 1000.0001, float("inf")])
def test_bits_are_rounded_up_to_a_multiple_that_adds_exactly(bits: float) -> None:
    rounded = rounded_up(bits)
    assert bits <= rounded <= bits + 2**-10
    assert rounded == float("inf") or (rounded * 1024).is_integer()


def test_names_are_those_of_one_prediction() -> None:
    """Planted: names that stay are taken for those of the next prediction, which has none."""
    told = Told()
    told.name([["cat"], ["dog"]])
    assert told.named() == [["cat"], ["dog"]]
    assert told.named() == ()
