"""The allow-list tree, node by node."""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import numpy as np
import orjson
import pytest
from hypothesis import given

from extproc.dialects.allowing import allowing
from extproc.dialects.mutation import Edit
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Either,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Numbered,
    Opaque,
    Rewrite,
    Rows,
)
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Prediction, Score
from tests.dialects.tiers import MODEL, OPEN, Edits

SCALARS: list[Any] = ["text", 7, 0.5, True, False]
CONTAINERS: list[Any] = [{}, [], {"a": 1}, [1]]


def score(value: Json, edit: Edit, place: str) -> Json:
    """A codec for numbers; what is none is not its API's."""
    if not isinstance(value, float):
        raise UpstreamError(f"{place} is not a number")
    after = edit(Score(value))
    assert after is None or isinstance(after, Score)
    return ABSENT if after is None else value if after.value == value else after.value


def vector(value: Json, edit: Edit, place: str) -> Json:
    """A codec for arrays of numbers."""
    before = Embedding(np.array(value, np.float64))
    after = edit(before)
    assert after is None or isinstance(after, Embedding)
    return value if after is before else ABSENT if after is None else after.values


def halved(_source: Source | None, prediction: Prediction) -> Prediction:
    assert isinstance(prediction, Score)
    return Score(prediction.value / 2)


def withheld(_source: Source | None, prediction: Prediction) -> None:
    return None


SCORE = Leaf("score", score)
TREE = Fields(
    {
        "id": Keep(),
        "model": ModelName(),
        "text": Opaque("text"),
        "usage": Gate("usage", Fields({"tokens": Keep()})),
        "rows": Items(Fields({"index": Keep(), "score": Leaf("score", score, nulled=True)})),
        "error": Fault(),
    }
)
WHOLE: dict[str, Any] = {
    "id": "1",
    "model": MODEL,
    "text": "hello",
    "usage": {"tokens": 3},
    "rows": [{"index": 0, "score": 0.5}, {"index": 1, "score": None}],
    "error": None,
}


def through(node: Node, value: Json, edits: Edits) -> tuple[Json, Counter[str]]:
    run = Rewrite(edits, MODEL)
    return node.rewrite(value, run, "here"), Counter(run.dropped)


def test_an_answer_of_known_fields_comes_back_as_the_very_object() -> None:
    run = Rewrite(OPEN, MODEL)
    assert TREE.rewrite(WHOLE, run, "") is WHOLE
    assert not run.dropped


def test_an_unknown_field_is_dropped_and_counted_where_it_stood_and_not_by_its_name() -> None:
    answer = {**WHOLE, "secret": 1, "other": 2, "rows": [{"index": 0, "logit": 3.5}]}
    run = Rewrite(OPEN, MODEL)
    assert TREE.rewrite(answer, run, "") == {**WHOLE, "rows": [{"index": 0}]}
    assert run.dropped == {"*": 2, "rows[].*": 1}


def test_a_name_is_known_in_one_spelling() -> None:
    run = Rewrite(OPEN, MODEL)
    assert TREE.rewrite({"Text": "a", "TEXT": "b", "te\u200bxt": "c", "": "d"}, run, "") == {}
    assert run.dropped == {"*": 4}


def test_a_tier_of_nothing_leaves_the_structure() -> None:
    run = Rewrite({}, MODEL)
    assert TREE.rewrite(WHOLE, run, "") == {
        "id": "1",
        "model": MODEL,
        "rows": [{"index": 0, "score": None}, {"index": 1, "score": None}],
        "error": None,
    }
    assert run.dropped == {"text": 1, "usage": 1, "rows[].score": 1}


def test_the_order_of_fields_stays() -> None:
    answer = {name: WHOLE[name] for name in reversed(WHOLE)} | {"secret": 1}
    after = TREE.rewrite(answer, Rewrite(OPEN, MODEL), "")
    assert list(after) == list(reversed(WHOLE))


@pytest.mark.parametrize("edits", [OPEN, {}])
@pytest.mark.parametrize(
    "node",
    [
        TREE,
        Items(TREE),
        Keep(),
        Opaque("text"),
        ModelName(),
        Fault(),
        Gate("usage", TREE),
        Gate("usage", TREE, nulled=True),
        SCORE,
        Anything(),
    ],
)
def test_null_stays_null_and_is_no_drop(node: Node, edits: Edits) -> None:
    assert through(node, None, edits) == (None, {})


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        (Keep(), CONTAINERS),
        (Opaque("text"), CONTAINERS),
        (ModelName(), [*CONTAINERS, 7, 0.5, True]),
        (Fields({}), [[], [1], *SCALARS]),
        (Items(Keep()), [{}, {"a": 1}, *SCALARS]),
        (Gate("usage", Fields({})), [[], *SCALARS]),
        (Fault(), [*SCALARS, *CONTAINERS]),
        (SCORE, ["0.5", True, [], {}]),
    ],
)
def test_another_type_than_the_tree_says_is_an_unreadable_answer(
    node: Node, wrong: list[Any]
) -> None:
    for value in wrong:
        with pytest.raises(UpstreamError) as caught:
            through(node, value, OPEN)
        assert "0.5" not in str(caught.value)


@pytest.mark.parametrize("edits", [OPEN, {}])
def test_a_models_name_of_another_type_is_never_passed_on(edits: Edits) -> None:
    with pytest.raises(UpstreamError):
        through(ModelName(), {"logprobs": [-0.1]}, edits)


def test_an_error_names_the_place() -> None:
    with pytest.raises(UpstreamError, match=r"rows\[\]\.index is not a scalar"):
        TREE.rewrite({"rows": [{"index": {}}]}, Rewrite(OPEN, MODEL), "")
    for value, words in ([], "the answer is not an object"), ({"rows": 1}, "rows is not an array"):
        with pytest.raises(UpstreamError, match=words):
            TREE.rewrite(value, Rewrite(OPEN, MODEL), "")
    with pytest.raises(UpstreamError, match="the answer is not an array"):
        Items(Keep()).rewrite({}, Rewrite(OPEN, MODEL), "")


def test_the_models_name_is_the_clients_unless_its_identity_may_be_known() -> None:
    assert through(ModelName(), "llama-3-8b-2025", {}) == (MODEL, {"here": 1})
    assert through(ModelName(), "llama-3-8b-2025", OPEN) == ("llama-3-8b-2025", {})
    assert through(ModelName(), MODEL, {}) == (MODEL, {})


def test_a_closed_part_is_taken_out_or_left_as_null() -> None:
    assert through(Gate("usage", TREE), {"junk": 1}, {}) == (ABSENT, {"here": 1})
    assert through(Gate("usage", TREE, nulled=True), {"junk": 1}, {}) == (None, {"here": 1})
    assert through(Opaque("text"), {"junk": 1}, {}) == (ABSENT, {"here": 1})


def test_a_leaf_is_read_and_edited_where_its_kind_is_granted() -> None:
    assert through(SCORE, 0.5, {"score": halved}) == (0.25, {})
    assert through(SCORE, 0.5, {"score": None}) == (0.5, {})


@pytest.mark.parametrize(("nulled", "left"), [(False, ABSENT), (True, None)])
def test_a_leaf_goes_where_its_kind_is_closed_or_a_mutator_withholds_it(
    *, nulled: bool, left: object
) -> None:
    leaf = Leaf("score", score, nulled=nulled)
    assert through(leaf, 0.5, {}) == (left, {"here": 1})
    assert through(leaf, 0.5, {"score": withheld}) == (left, {"here": 1})


def test_a_codec_does_not_see_unknown_fields() -> None:
    def codec(value: Json, edit: Edit, place: str) -> Json:
        assert value == {"a": 1}
        return value

    leaf = Leaf("score", codec, Fields({"a": Keep()}))
    assert through(leaf, {"a": 1, "b": 2}, OPEN) == ({"a": 1}, {"here.*": 1})
    known = {"a": 1}
    assert through(leaf, known, OPEN)[0] is known


def test_an_item_that_is_dropped_leaves_no_gap() -> None:
    def above(_source: Source | None, prediction: Prediction) -> Prediction | None:
        assert isinstance(prediction, Score)
        return prediction if prediction.value > 0 else None

    assert through(Items(SCORE), [-1.0, 2.0, -3.0, 4.0], {"score": above}) == (
        [2.0, 4.0],
        {"here[]": 2},
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
EXTRAS = st.dictionaries(
    st.text(max_size=6).filter(lambda name: name not in {*WHOLE, "tokens", "index", "score"}),
    JSON_VALUES,
    max_size=3,
)


@given(EXTRAS, EXTRAS, EXTRAS)
def test_whatever_an_unknown_field_holds_nothing_of_it_passes(
    outer: dict[str, Any], inner: dict[str, Any], deep: dict[str, Any]
) -> None:
    answer = {**outer, **WHOLE, "rows": [{**inner, "index": 0}], "usage": {"tokens": 1, **deep}}
    run = Rewrite(OPEN, MODEL)
    after = TREE.rewrite(orjson.loads(orjson.dumps(answer)), run, "")
    assert after == {**WHOLE, "rows": [{"index": 0}], "usage": {"tokens": 1}}
    expected = Counter({"*": len(outer), "rows[].*": len(inner), "usage.*": len(deep)})
    assert run.dropped == +expected


class TestNumbered:
    RANKING = Items(Numbered(Fields({"index": Keep(), "score": SCORE})))

    def test_an_item_is_about_the_input_that_it_names(self) -> None:
        asked: list[int | None] = []

        class Noting:
            def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
                asked.append(run.at)
                return value

        run = Rewrite(OPEN, MODEL)
        Items(Numbered(Noting())).rewrite([{"index": 3}, {"index": 0}, None], run, "")
        assert asked == [3, 0]
        assert run.at is None

    @pytest.mark.parametrize("wrong", [[], "a", 1, {}, {"index": None}, {"index": "1"}])
    @pytest.mark.parametrize("more", [{}, {"index": -1}, {"index": True}, {"index": 1.0}])
    def test_an_item_that_names_none_is_unreadable(self, wrong: Any, more: dict[str, Any]) -> None:
        item = {**wrong, **more} if isinstance(wrong, dict) else wrong
        with pytest.raises(UpstreamError, match=r"here\[\] has no index"):
            through(self.RANKING, [item], OPEN)

    def test_the_number_is_forgotten_where_the_item_is_unreadable(self) -> None:
        run = Rewrite(OPEN, MODEL)
        with pytest.raises(UpstreamError):
            self.RANKING.rewrite([{"index": 1, "score": "a"}], run, "")
        assert run.at is None

    def test_a_further_field_may_be_allowed(self) -> None:
        tree = allowing(self.RANKING, ["chunk"])
        value = [{"index": 1, "chunk": [1]}]
        assert through(tree, value, OPEN)[0] is value


class TestRows:
    ROWS = Rows(Items(Fields({"score": SCORE})), depth=1, each=True)

    def test_a_row_may_stand_alone_or_in_an_array(self) -> None:
        row = [{"score": 0.5, "x": 1}]
        assert through(self.ROWS, row, OPEN)[0] == [{"score": 0.5}]
        assert through(self.ROWS, [row, [], None], OPEN)[0] == [[{"score": 0.5}], [], None]
        untouched: list[Any] = [[], [[]], None, [{"score": 0.5}], [[{"score": 0.5}]]]
        for same in untouched:
            assert through(self.ROWS, same, OPEN)[0] is same

    @pytest.mark.parametrize("wrong", [7, {}, [7], [[7]], [[[]]], [{"score": 0.5}, []], [[], {}]])
    def test_what_is_no_row_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            through(self.ROWS, wrong, OPEN)

    def test_a_further_field_may_be_allowed(self) -> None:
        value = [[{"x": [1]}]]
        assert through(allowing(self.ROWS, ["x"]), value, OPEN)[0] is value


class TestEither:
    NODE = Either(Fields({"a": Keep()}), Items(SCORE), Opaque("text"))

    def test_the_type_of_a_value_says_which_shape_it_has(self) -> None:
        for value, after in (
            ({"a": 1, "b": 2}, {"a": 1}),
            ([0.5], [0.5]),
            ("t", "t"),
            (None, None),
        ):
            assert self.NODE.rewrite(value, Rewrite(OPEN, MODEL), "") == after
        with pytest.raises(UpstreamError):
            self.NODE.rewrite([{"a": 1}], Rewrite(OPEN, MODEL), "")

    def test_a_policy_opens_fields_of_its_object(self) -> None:
        node = allowing(self.NODE, ["b"])
        assert node.rewrite({"b": [2]}, Rewrite(OPEN, MODEL), "") == {"b": [2]}
        with pytest.raises(KeyError):
            allowing(self.NODE, ["a"])
