"""Vectors go back in the type they came in, and only vectors."""

from typing import Any

import numpy as np
import orjson
import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import Items, Json, Node, Rewrite, Rows
from extproc.dialects.vectors import SPARSE, VECTOR, Tensor, from_octets, vectors
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, Quantize, Truncate
from extproc.prediction import Prediction, Score
from tests.dialects.tiers import OPEN, Edits, tier
from tests.dialects.ways import left

EIGHT = tier({"embedding": [Quantize(bits=8)]})
floats = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8)


def base64(values: list[float]) -> str:
    return pybase64.b64encode(np.array(values, "<f4").tobytes()).decode()


def shown(node: Node, value: Json, edits: Edits = OPEN) -> Json:
    return left(node, orjson.dumps(value), edits)


@given(floats)
def test_floats_and_base64_tell_the_same_numbers(values: list[float]) -> None:
    as_base64 = shown(VECTOR, base64(values), EIGHT)
    decoded = np.frombuffer(pybase64.b64decode(as_base64), "<f4")
    assert decoded.tolist() == np.array(shown(VECTOR, values, EIGHT), "<f4").tolist()


@pytest.mark.parametrize("value", [[0.5, 1], base64([0.5]), None])
def test_what_passes_untouched_is_the_same_text(value: Any) -> None:
    assert shown(VECTOR, value) == value
    assert shown(VECTOR, value, {}) is None
    assert shown(VECTOR, value, tier({"embedding": [Drop()]})) is None


@given(floats)
def test_vectors_inside_arrays_are_served_like_vectors(values: list[float]) -> None:
    alone = shown(VECTOR, values, EIGHT)
    assert shown(Rows(VECTOR, depth=2), values, EIGHT) == alone
    assert shown(Rows(VECTOR, depth=2), [[values], [values, values]], EIGHT) == [
        [alone],
        [alone, alone],
    ]


@pytest.mark.parametrize(
    "wrong", [[], {}, 7, True, [True], ["1"], [None], [[1.0]], [1e31], "", "AAA=", "AAAAfw==", "é"]
)
@pytest.mark.parametrize("node", [VECTOR, Tensor()])
def test_what_is_no_vector_of_finite_numbers_is_unreadable(node: Node, wrong: Any) -> None:
    # The last of the base64 strings is one float32 of 1.7e38.
    with pytest.raises(UpstreamError, match="is not a vector"):
        shown(node, wrong)


def test_octets_that_are_no_float32_are_unreadable() -> None:
    with pytest.raises(UpstreamError, match="place is not a vector"):
        from_octets(b"abc", "place")


class TestSparse:
    def test_the_listed_components_are_a_vector_of_their_own(self) -> None:
        value = [{"index": 7, "value": 0.3, "token": "s"}, {"index": 2, "value": -0.4}]
        served = shown(SPARSE, value, EIGHT)
        assert [item["index"] for item in served] == [7, 2]
        assert [item["value"] for item in served] == shown(VECTOR, [0.3, -0.4], EIGHT)
        assert set(served[0]) == {"index", "value"}

    def test_what_is_cut_off_is_not_listed(self) -> None:
        value = [{"value": 0.6, "index": 1}, {"value": 0.8, "index": 2}]
        served = shown(SPARSE, value, tier({"embedding": [Truncate(dimensions=1)]}))
        assert served == [{"value": 1.0, "index": 1}]

    def test_untouched_and_empty_ones_pass_and_closed_ones_are_null(self) -> None:
        value = [{"index": 1, "value": 0.6}]
        assert shown(SPARSE, value) == value
        assert shown(SPARSE, [], EIGHT) == []
        assert shown(SPARSE, value, {}) is None
        assert shown(SPARSE, value, tier({"embedding": [Drop()]})) is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            7,
            [7],
            [None],
            [{"index": 1}],
            [{"value": 0.5}],
            [{"index": -1, "value": 0.5}],
            [{"index": True, "value": 0.5}],
            [{"index": 1, "value": "0.5"}],
            [{"index": 1, "value": 1e31}],
            [{"index": 1, "value": [0.5]}],
        ],
    )
    def test_what_lists_no_components_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            shown(SPARSE, wrong)


class TestTensor:
    def test_it_passes_whole_or_not_at_all(self) -> None:
        for value in ([0.5, 1e-9], base64([0.5]), None):
            assert shown(Tensor(), value, {"tensor": None}) == value
            assert shown(Tensor(), value, {"embedding": None}) is None

    def test_a_mutator_that_it_cannot_ask_is_no_leave_to_pass(self) -> None:
        def halved(_source: Source | None, prediction: Prediction) -> Prediction:
            return prediction

        assert shown(Tensor(), [0.5], {"tensor": halved}) is None

    def test_a_route_declares_what_vectors_are(self) -> None:
        assert vectors("embedding") is VECTOR
        assert vectors("tensor") == Tensor()


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(_source: Source | None, prediction: Prediction) -> Prediction:
        return Score(0.5)

    with pytest.raises(TypeError, match="Score"):
        Items(VECTOR).rewrite([[0.5]], Rewrite({"embedding": confused}, "m"), "")
