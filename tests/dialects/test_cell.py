"""A cell holds what it was declared to hold, however deep it is nested."""

from typing import Any, get_args

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.cell import (
    Cell,
    CellKind,
    cell,
    check_labels,
    column,
    edited,
    flat,
    numbers,
    score,
)
from extproc.dialects.shape import ABSENT, Node, Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, LabelOnly, Quantize, Round, TopK, Truncate
from extproc.prediction import Embedding, Kind, Prediction, Probabilities, Score
from tests.dialects.documents import json_values
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

KINDS: tuple[CellKind, ...] = ("probabilities", "score", "embedding", "label", "text", "tensor")
FITTING: dict[CellKind, list[Any]] = {
    "probabilities": [[0.75, 0.25], [[0.5, 0.5], [1, 0]], [], [[]], [0.4]],
    "score": [0.5, 7, -3.25, [0.5, 2], [[1.5], [2.5]], [], 1e300],
    "embedding": [[0.5, -3.0], [[1.0], [2.0]], [[[0.0, 1.0]]], []],
    "label": ["tabby", 3, 7.0, True, ["a", 1], [["a"], ["b"]], "v1.2", "iso:1234:2020", ""],
    "text": ["hi", "", ["a", "b"]],
    "tensor": [0.5, [[1, 2.5], [3, "x"]], True, "raw", []],
}
WRONG: dict[CellKind, list[Any]] = {
    "probabilities": [0.5, "0.5", [1.5, 0], [-0.1, 0.5], [0.7, 0.7], [True], ["0.5"], [[0.5], 1]],
    "score": ["0.5", True, [True], [0.5, "1"], {"a": 1}, [[0.5], [{"a": 1}]]],
    "embedding": [0.5, "AAAA", [0.5, None], [1e31], ["1"], [[0.5], "x"]],
    "label": [0.5, "0.93", " .5 ", "9e-1", "0.93:281:tabby", ["a", 0.5], {"a": 1}, [["a"], [0.1]]],
    "text": [5, 0.5, True, ["a", 0.5], {"a": "b"}],
    "tensor": [{"a": 1}, [None], [[1], [{"a": 1}]]],
}


def rewritten(node: Node, value: Any, edits: Edits) -> Any:
    return served(node, orjson.dumps(value), edits)[0]


def test_the_kinds_are_those_that_are_tried() -> None:
    assert set(KINDS) == set(get_args(CellKind)) == FITTING.keys() == WRONG.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_passes_untouched_where_its_kind_passes(kind: CellKind) -> None:
    for value in (*FITTING[kind], None):
        assert is_untouched(cell(kind), orjson.dumps(value), {kind: None})


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_makes_the_answer_unreadable(kind: CellKind) -> None:
    for value in WRONG[kind]:
        with pytest.raises(UpstreamError) as caught:
            rewritten(cell(kind), value, OPEN)
        assert "0.93" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tier_that_does_not_name_the_kind_drops_it_unread(kind: CellKind) -> None:
    others = {name: None for name in OPEN if name != kind}
    for value in (*FITTING[kind], *WRONG[kind]):
        run = Rewrite(others, "m")
        assert cell(kind).rewrite(value, run, "x") is (ABSENT if value is not None else None)
        assert run.dropped == {"x": 1}


def test_every_innermost_array_is_one_vector() -> None:
    tops = tier({"probabilities": [LabelOnly()]})
    batch = [[[0.75, 0.25], [0.4, 0.6]]]
    assert rewritten(cell("probabilities"), batch, tops) == [[[1, 0], [0, 1]]]
    cut = tier({"embedding": [Truncate(dimensions=2)]})
    assert rewritten(cell("embedding"), [[0.6, 0.0, 0.8]], cut) == [[1, 0]]


def test_every_number_is_one_score() -> None:
    rounded = tier({"score": [Round(digits=1)]})
    assert rewritten(cell("score"), [[1249.517], [3.25, 7]], rounded) == [[1249.5], [3.2, 7]]
    assert rewritten(cell("score"), 0.77, rounded) == 0.8


def test_an_embedding_is_sent_in_single_precision() -> None:
    sent = rewritten(cell("embedding"), [0.1, 0.7, -0.3], tier({"embedding": [Quantize(bits=4)]}))
    assert all(len(repr(number)) <= 12 for number in sent)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("probabilities", [[0.5, 0.5]]), ("embedding", [[1.0]]), ("score", 0.5), ("score", [[0.5]])],
)
def test_what_a_mutator_withholds_is_taken_out_whole(kind: Kind, value: Any) -> None:
    run = Rewrite(tier({kind: [Drop()]}), "m")
    assert Cell(kind).rewrite(value, run, "x") is ABSENT  # type: ignore[arg-type]
    assert run.dropped == {"x": 1}


def test_a_column_gives_each_input_its_own_draw() -> None:
    seen: list[bytes] = []

    def watch(source: Source | None, prediction: Prediction) -> Prediction:
        assert source is not None
        seen.append(source.input.key)
        return prediction

    draws = Draws(Draw(b"k"), (b"one", b"two"))
    column("score").rewrite([0.5, 0.25], Rewrite({"score": watch}, "m", draws), "")
    assert seen == [draws.of(0).input.key, draws.of(1).input.key]


def test_nesting_has_a_bound() -> None:
    for depth in (32, 33, 34, 900):
        deep = b"[" * depth + b"0.5" + b"]" * depth
        if depth <= 33:
            assert is_untouched(cell("score"), deep, OPEN)
        else:
            with pytest.raises(UpstreamError, match="nested too deeply"):
                served(cell("score"), deep, OPEN)


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(prediction: Prediction) -> Prediction:
        vector = isinstance(prediction, Probabilities | Embedding)
        return Score(0.5) if vector else Embedding(numbers([1.0], ""))

    with pytest.raises(TypeError, match="changed the kind"):
        edited("probabilities", numbers([0.5], ""), confused, "x")
    with pytest.raises(TypeError, match="changed the kind"):
        score(0.5, confused)


@given(st.lists(st.lists(st.floats(-9, 9), min_size=2, max_size=2), max_size=4))
def test_flat_is_what_arrays_hold(rows: list[list[float]]) -> None:
    assert flat(rows) == [number for row in rows for number in row]
    assert flat([numbers(row, "") for row in rows]) == flat(rows)


def test_index_and_name_are_labels() -> None:
    check_labels(["a", 1, 2.0, False], "x")


@given(st.sampled_from(KINDS), json_values)
def test_only_our_own_error_escapes_and_what_comes_out_is_of_the_kind(
    kind: CellKind, value: Any
) -> None:
    edits = tier({"probabilities": [TopK(k=1)], "score": [Round(digits=0)], "embedding": []})
    try:
        after = rewritten(Cell(kind), value, OPEN | edits)
    except UpstreamError:
        return
    types = {type(item) for item in flat(after if isinstance(after, list) else [after])}
    allowed: dict[CellKind, set[type]] = {"text": {str}, "label": {str, int, float, bool}}
    numeric = {"tensor": {str, int, float, bool}}.get(kind, {int, float})
    assert after is None or types <= allowed.get(kind, numeric)
