"""Classes with their probabilities: neither number nor order tells more than the tier says."""

from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.cell import cell
from extproc.dialects.ranking import MEMBERS, Columns, Having, OfObjects, Pairs, Ranked
from extproc.dialects.shape import ABSENT, Fields, Items, Keep, Node, Opaque, Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.prediction import Kind
from tests.dialects.documents import json_values
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

RANKED = Ranked("score", ("label",), {"label": cell("label"), "start": Keep()})
COLUMNS = Columns(
    "confidences",
    ("displayNames", "ids"),
    {"displayNames": cell("label"), "ids": Items(Opaque("identity")), "value": cell("score")},
)
NODES: dict[str, Node] = {
    "members": MEMBERS,
    "pairs": Pairs(),
    "ranked": RANKED,
    "columns": COLUMNS,
}
Classes = list[tuple[str, float]]
CAT: Classes = [("tabby", 0.46), ("tiger cat", 0.31), ("lynx", 0.02)]
LABELS: Edits = {"label": None}
TOP: Edits = {**tier({"probabilities": [TopK(k=2), Round(digits=1)]}), "label": None}


def written(form: str, classes: Classes) -> Any:
    match form:
        case "members":
            return dict(classes)
        case "pairs":
            return [list(pair) for pair in classes]
        case "ranked":
            return [{"label": name, "score": number} for name, number in classes]
        case _:
            names, numbers = [pair[0] for pair in classes], [pair[1] for pair in classes]
            return {"displayNames": names, "confidences": numbers}


def read(form: str, value: Any) -> list[tuple[Any, Any]]:
    match form:
        case "members":
            return list(value.items())
        case "pairs":
            return [(name, number) for name, number in value]
        case "ranked":
            return [(item.get("label"), item.get("score")) for item in value]
        case _:
            names = value["displayNames"]
            return list(zip(names, value.get("confidences", [None] * len(names)), strict=True))


def rewritten(node: Node, value: Any, edits: Edits) -> Any:
    return served(node, orjson.dumps(value), edits)[0]


@pytest.mark.parametrize("form", NODES)
class TestEveryForm:
    def test_what_may_pass_is_untouched(self, form: str) -> None:
        for classes in (CAT, []):
            document = orjson.dumps(written(form, classes))
            assert is_untouched(NODES[form], document, {"probabilities": None, "label": None})
            at_most = tier({"probabilities": [TopK(k=9)]})
            assert is_untouched(NODES[form], document, {**at_most, "label": None})
        assert is_untouched(NODES[form], b"null", {"probabilities": None, "label": None})

    def test_hidden_classes_are_not_named(self, form: str) -> None:
        after = rewritten(NODES[form], written(form, CAT), TOP)
        assert read(form, after) == [("tabby", 0.5), ("tiger cat", 0.3)]

    def test_the_order_says_no_more_than_the_numbers(self, form: str) -> None:
        close: Classes = [("b", 0.34), ("a", 0.33), ("c", 0.33)]
        edits: Edits = {**tier({"probabilities": [Round(digits=1)]}), "label": None}
        first = read(form, rewritten(NODES[form], written(form, close), edits))
        swapped = [close[0], close[2], close[1]]
        assert read(form, rewritten(NODES[form], written(form, swapped), edits)) == first
        assert [name for name, _ in first] == ["b", "a", "c"]

    @given(st.lists(st.floats(0, 0.1), min_size=1, max_size=9), st.randoms())
    def test_no_order_of_the_answer_changes_what_is_served(
        self, form: str, numbers: list[float], random: Any
    ) -> None:
        classes = [(f"c{at}", number) for at, number in enumerate(numbers)]
        edits: Edits = {**tier({"probabilities": [LabelOnly()]}), "label": None}
        best = max(numbers)
        if numbers.count(best) > 1:
            return
        random.shuffle(classes)
        served_first = read(form, rewritten(NODES[form], written(form, classes), edits))
        assert served_first == [(f"c{numbers.index(best)}", 1.0)]

    @pytest.mark.parametrize(
        "wrong",
        [
            [("a", 0.7), ("b", 0.7)],
            [("a", -0.1), ("b", 0.5)],
            [("a", 1.5)],
            [("a", True)],
            [("a", "0.5")],
            [("a", None)],
            [("0.93:281:tabby", 0.5)],
            [("0.9313", 0.5)],
            [("a", [0.5])],
        ],
    )
    def test_what_is_no_ranking_does_not_pass(self, form: str, wrong: Any) -> None:
        for edits in (OPEN, TOP):
            with pytest.raises(UpstreamError):
                rewritten(NODES[form], written(form, wrong), edits)

    @pytest.mark.parametrize("value", [5, "text", True, [5], [[0.5]], [["a", 0.5, 1]], {"a": "b"}])
    def test_another_shape_never_passes_unread(self, form: str, value: Any) -> None:
        edits: Edits = {"probabilities": None, "label": None}
        try:
            after = rewritten(NODES[form], value, edits)
        except UpstreamError:
            return
        assert form == "columns"
        assert after == {}

    def test_a_tier_of_neither_kind_sees_nothing(self, form: str) -> None:
        run = Rewrite({"text": None, "score": None}, "m")
        after = NODES[form].rewrite(written(form, CAT), run, "x")
        assert after is ABSENT or after == {}
        assert run.dropped

    @given(json_values)
    def test_only_our_own_error_escapes(self, form: str, value: Any) -> None:
        for edits in (TOP, LABELS):
            with suppress(UpstreamError):
                rewritten(Fields({"x": NODES[form]}), {"x": value}, edits)


class TestLabelsAlone:
    @pytest.mark.parametrize("form", ["pairs", "ranked", "columns"])
    def test_a_tier_of_labels_sees_the_first_class_alone(self, form: str) -> None:
        for edits in (LABELS, {**tier({"probabilities": [Drop()]}), **LABELS}):
            for classes in (CAT, CAT[::-1]):
                after = rewritten(NODES[form], written(form, classes), edits)
                assert read(form, after) == [("tabby", None)]

    def test_keys_go_where_their_numbers_go(self) -> None:
        run = Rewrite(LABELS, "m")
        assert MEMBERS.rewrite(dict(CAT), run, "x") is ABSENT
        dropping = Rewrite(tier({"probabilities": [Drop()]}), "m")
        assert MEMBERS.rewrite(dict(CAT), dropping, "x") is ABSENT

    def test_a_tier_that_names_no_label_does_not_see_the_first_by_another_name(self) -> None:
        value = written("columns", CAT) | {"ids": ["7", "8", "9"]}
        assert rewritten(COLUMNS, value, {"identity": None}) == {"ids": []}
        dropping: Edits = {"probabilities": lambda _source, _prediction: None}
        assert rewritten(Pairs(), written("pairs", CAT), dropping) == []

    def test_numbers_alone_are_nameless(self) -> None:
        edits: Edits = {"probabilities": None}
        assert rewritten(Pairs(), written("pairs", CAT[:1]), edits) == [[None, 0.46]]
        assert rewritten(RANKED, written("ranked", CAT[:1]), edits) == [{"score": 0.46}]
        assert rewritten(COLUMNS, written("columns", CAT[:1]), edits) == {"confidences": [0.46]}


class TestOthers:
    def test_fields_beside_the_number_are_those_of_their_class(self) -> None:
        items = [{"label": "a", "score": 0.2, "start": 1}, {"label": "b", "score": 0.7, "start": 2}]
        assert rewritten(RANKED, items, LABELS) == [{"label": "b", "start": 2}]
        assert rewritten(RANKED, [{**items[0], "box": [1]}], OPEN) == items[:1]

    def test_every_column_keeps_to_the_classes_shown(self) -> None:
        value = written("columns", CAT[::-1]) | {"ids": ["9", "8", "7"], "box": [[0.1]]}
        edits: Edits = {**LABELS, "identity": None}
        assert rewritten(COLUMNS, value, edits) == {"displayNames": ["tabby"], "ids": ["7"]}

    def test_without_classes_the_other_fields_pass(self) -> None:
        assert rewritten(COLUMNS, {"value": 3.5, "box": 1}, OPEN) == {"value": 3.5}

    @pytest.mark.parametrize(
        "value",
        [
            {"displayNames": ["a"]},
            {"displayNames": ["a"], "confidences": [0.5, 0.5]},
            {"displayNames": "a", "confidences": [0.5]},
            {"displayNames": ["a"], "confidences": 0.5},
            {"confidences": {"a": 0.5}},
        ],
    )
    def test_columns_are_of_one_length(self, value: Any) -> None:
        with pytest.raises(UpstreamError, match="several lengths"):
            rewritten(COLUMNS, value, OPEN)

    def test_classes_without_names_keep_their_places(self) -> None:
        nameless = Ranked("p", (), {})
        value = [{"p": 0.2}, {"p": 0.7}, {"p": 0.1}]
        tops = tier({"probabilities": [LabelOnly()]})
        assert rewritten(nameless, value, tops) == [{"p": 0}, {"p": 1}, {"p": 0}]
        assert rewritten(nameless, value, LABELS) == []
        columns = Columns("p", ("names",), {})
        assert rewritten(columns, {"p": [0.2, 0.7]}, tops) == {"p": [0, 1]}

    @pytest.mark.parametrize("granted", ["label", "probabilities"])
    def test_what_was_hidden_is_counted(self, granted: Kind) -> None:
        tops = tier({"probabilities": [TopK(k=1)]}) if granted == "probabilities" else {}
        _, dropped = served(RANKED, orjson.dumps(written("ranked", CAT)), {**LABELS, **tops})
        assert dropped["[].score"] == (2 if tops else 3)


def test_a_field_says_which_shape_an_object_has() -> None:
    node = Having("kind", Keep(), cell("score"))
    assert rewritten(node, 0.5, OPEN) == 0.5
    with pytest.raises(UpstreamError, match="not a scalar"):
        rewritten(node, {"kind": "a"}, OPEN)
    with pytest.raises(UpstreamError, match="declared score"):
        rewritten(node, {"kind": None}, OPEN)


def test_the_first_item_says_which_shape_an_array_has() -> None:
    node = OfObjects(RANKED, cell("score"))
    assert rewritten(node, [0.5], OPEN) == [0.5]
    assert rewritten(node, written("ranked", CAT), LABELS) == [{"label": "tabby"}]
    assert rewritten(node, [], OPEN) == []


TELLING: Edits = {
    **tier({"probabilities": [TopK(k=2, other=True), Round(digits=2)]}),
    "label": None,
}


@pytest.mark.parametrize("form", NODES)
def test_what_is_hidden_may_be_told_as_one_class_behind_the_others(form: str) -> None:
    after, _ = served(NODES[form], orjson.dumps(written(form, CAT)), TELLING)
    assert after == written(form, [("tabby", 0.46), ("tiger cat", 0.31), ("other", 0.02)])


def test_what_is_hidden_is_not_told_where_classes_have_no_names() -> None:
    with pytest.raises(UpstreamError, match="no names of classes"):
        served(Columns("confidences", ("ids",), {}), b'{"confidences":[0.5,0.3,0.2]}', TELLING)
