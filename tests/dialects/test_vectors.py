"""Vectors in both of their forms: read exactly, and back in the form they came in."""

import math
from typing import Any

import numpy as np
import orjson
import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import ABSENT, Fields, Leaf, Rewrite
from extproc.dialects.vectors import embedding
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, Mutator, Quantize, Truncate
from extproc.prediction import Embedding, Prediction, Score
from tests.dialects.tiers import Edits, tier

TREE = Fields({"v": Leaf("embedding", embedding)})


def shown(value: Any, *mutators: Mutator, edits: Edits | None = None) -> Any:
    run = Rewrite(tier({"embedding": mutators}) if edits is None else edits, "m")
    left = TREE.rewrite({"v": value}, run, "").get("v", ABSENT)
    return left if left is ABSENT else orjson.loads(orjson.dumps(left, option=_NUMPY))


_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def base64(values: Any) -> str:
    return pybase64.b64encode_as_string(np.array(values, "<f4").tobytes())


def floats(text: str) -> list[float]:
    read: list[float] = np.frombuffer(pybase64.b64decode(text), "<f4").tolist()
    return read


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8))
def test_both_forms_hold_the_same_numbers(values: list[float]) -> None:
    mutators = (Truncate(dimensions=3), Quantize(bits=8))
    plain = np.array(shown(values, *mutators), np.float32)
    assert floats(shown(base64(values), *mutators)) == plain.tolist()


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=8))
def test_what_no_mutator_changes_is_the_very_object(values: list[float]) -> None:
    run = Rewrite({"embedding": None}, "m")
    value = {"v": values}
    assert TREE.rewrite(value, run, "") is value


def test_numbers_go_back_as_float32() -> None:
    doubled = shown([0.1, 0.2], edits={"embedding": lambda _, p: Embedding(p.values * 2)})  # type: ignore[union-attr]
    assert doubled == orjson.loads(orjson.dumps(np.array([0.2, 0.4], "<f4"), option=_NUMPY))


def test_a_vector_is_dropped_where_the_tier_says_so() -> None:
    assert shown([0.5], Drop()) is ABSENT
    assert shown([0.5], edits={}) is ABSENT


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        7,
        True,
        ["0.5"],
        [None],
        [[0.5]],
        [1e31],
        [0.5, -1e39],
        "",
        "s3cret",
        "AAA=",
        "AAAAPw==\n",
        base64([math.nan]),
        base64([math.inf]),
        [float(2**1023), 1],
    ],
)
@pytest.mark.parametrize("mutators", [(), (Quantize(bits=8),)])
def test_what_is_no_vector_makes_the_answer_unreadable(
    wrong: Any, mutators: tuple[Mutator, ...]
) -> None:
    with pytest.raises(UpstreamError, match="v is not a vector") as caught:
        shown(wrong, *mutators)
    assert "s3cret" not in str(caught.value)


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(_source: Source | None, _prediction: Prediction) -> Prediction:
        return Score(0.5)

    with pytest.raises(TypeError, match="Score"):
        shown([0.5], edits={"embedding": confused})
