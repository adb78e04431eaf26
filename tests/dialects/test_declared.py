"""What a policy declares of an answer, path by path, is what passes of it."""

from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.declared import DeclaredKind, Flaw, declared, passes, positional, tree
from extproc.dialects.json_path import ANY, EACH, shown, writable
from extproc.dialects.shape import ABSENT, Node, Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Quantize, Round, TopK
from extproc.prediction import KINDS, Kind, Prediction
from tests.dialects.documents import json_values
from tests.dialects.tiers import OPEN, Edits, is_untouched, leaves, served, tier

RULES: dict[str, DeclaredKind] = {
    "results[].label": "label",
    "results[].score": "score",
    "results[].raw": "drop",
    "vectors[][]": "embedding",
    "named.*": "probabilities",
    "members.*.value": "score",
    "members.*.unit": "text",
    "classes[]": "label",
    "shares[]": "probabilities",
    "ranking[].name": "label",
    "ranking[].p": "probabilities",
    "ranking[].at": "keep",
    "logits[][]": "tensor",
    "answer": "text",
    "thoughts": "reasoning",
    "usage.tokens": "usage",
    "usage.cached": "usage_detail",
    "took": "timing",
    "model": "identity",
    "id": "keep",
    "debug": "drop",
    "unused[]": "drop",
}
ANSWER: dict[str, Any] = {
    "results": [{"label": "a", "score": 0.75, "raw": 3.5, "extra": 1}],
    "vectors": [[0.5, -3.25]],
    "named": {"a": 0.75, "b": 0.25},
    "members": {"m": {"value": 1.5, "unit": "kg", "raw": 2}},
    "classes": ["x", "y"],
    "shares": [0.25, 0.75],
    "ranking": [{"name": "y", "p": 0.75, "at": 1, "box": [1]}, {"name": "x", "p": 0.25, "at": 2}],
    "logits": [[1.5, 2.5]],
    "answer": "hi",
    "thoughts": "hm",
    "usage": {"tokens": 3, "cached": 2, "cost": 1},
    "took": 31.5,
    "model": "m-2025",
    "id": "1",
    "debug": {"a": 1},
    "unused": [1],
    "more": {"a": 1},
}
BY_KIND: dict[Kind, set[str]] = {
    "label": {"results[].label", "classes[]", "ranking[].name", "ranking[].at"},
    "score": {"results[].score", "members.m.value"},
    "embedding": {"vectors[][]"},
    "probabilities": {"named.a", "named.b", "shares[]", "ranking[].p", "ranking[].at"},
    "tensor": {"logits[][]"},
    "text": {"answer", "members.m.unit"},
    "reasoning": {"thoughts"},
    "usage": {"usage.tokens"},
    "usage_detail": {"usage.cached"},
    "timing": {"took"},
    "identity": {"model"},
}
EMPTY = {"results[]", "members", "ranking", "usage"}


def of(rules: dict[str, DeclaredKind], *, each: bool = False) -> Node:
    found = declared(rules)
    assert not isinstance(found, Flaw)
    return tree(found, each=each)


def rewritten(rules: dict[str, DeclaredKind], value: Any, edits: Edits = OPEN) -> Any:
    return served(of(rules), orjson.dumps(value), edits)[0]


class TestAnswer:
    @given(st.sets(st.sampled_from(KINDS)))
    def test_a_tier_passes_what_is_kept_and_the_fields_of_its_kinds(self, kinds: set[Kind]) -> None:
        shown, _ = served(of(RULES), orjson.dumps(ANSWER), dict.fromkeys(kinds))
        passing = {"id"}.union(*(BY_KIND.get(kind, set()) for kind in kinds))
        assert set(leaves(shown)) - EMPTY == passing - EMPTY

    def test_what_is_declared_passes_untouched(self) -> None:
        known = rewritten(RULES, ANSWER)
        assert is_untouched(of(RULES), orjson.dumps(known), OPEN)
        assert known.keys() == ANSWER.keys() - {"debug", "unused", "more"}

    def test_mutators_see_each_kind(self) -> None:
        edits = tier(
            {
                "probabilities": [LabelOnly()],
                "score": [Round(digits=0)],
                "embedding": [Quantize(bits=1)],
                "label": [],
            }
        )
        after = rewritten(RULES, ANSWER, edits)
        assert after["results"] == [{"label": "a", "score": 1}]
        assert after["named"] == {"a": 1}
        assert after["classes"] == ["y"]
        assert after["shares"] == [1]
        assert after["ranking"] == [{"name": "y", "p": 1, "at": 1}]
        assert abs(after["vectors"][0][0]) == abs(after["vectors"][0][1])

    @pytest.mark.parametrize(
        ("rules", "value", "after"),
        [
            ({"[][]": "embedding"}, [[0.5], [1.5]], [[0.5], [1.5]]),
            ({"[]": "score"}, [0.5, 2], [0.5, 2]),
            ({"*": "score"}, {"a": 0.5}, {"a": 0.5}),
            ({"*": "probabilities"}, {"a": 0.5}, {"a": 0.5}),
            ({"[].*": "label"}, [{"a": 1}], [{"a": 1}]),
            ({"a.*[].x": "text"}, {"a": {"b": [{"x": "y", "z": 1}]}}, {"a": {"b": [{"x": "y"}]}}),
            (
                {
                    "*": "drop",
                },
                {"a": 1},
                {},
            ),
            ({"a": "text", "b.*": "drop"}, {"a": "x", "b": {"c": 1}}, {"a": "x"}),
            ({"a.*": "text"}, {"a": None}, {"a": None}),
            (
                {"[].p": "probabilities", "[].l": "label"},
                [{"p": 0.5, "l": "a"}],
                [{"p": 0.5, "l": "a"}],
            ),
        ],
    )
    def test_paths_may_begin_and_end_anywhere(
        self, rules: dict[str, DeclaredKind], value: Any, after: Any
    ) -> None:
        assert rewritten(rules, value) == after

    def test_a_key_goes_with_what_stands_behind_it(self) -> None:
        rules: dict[str, DeclaredKind] = {"a.*.x": "score", "a.*.y": "text"}
        value = {"a": {"s3cret": {"x": 0.5}, "open": {"x": 1.5, "y": "t"}}}
        assert rewritten(rules, value, {"text": None}) == {"a": {"open": {"y": "t"}}}

    @pytest.mark.parametrize("key", ["0.93", "0.93:1:cat"])
    def test_a_key_holds_no_score(self, key: str) -> None:
        for kind in ("score", "probabilities"):
            with pytest.raises(UpstreamError, match="hides scores"):
                rewritten({"a.*": kind}, {"a": {key: 0.5}})

    @pytest.mark.parametrize(
        ("rules", "value"),
        [
            ({"a": "score"}, {"a": {"b": 1}}),
            ({"a[]": "score"}, {"a": 0.5}),
            ({"a[].b": "score"}, {"a": {"b": 0.5}}),
            ({"a[][]": "embedding"}, {"a": [0.5]}),
            ({"a.*": "score"}, {"a": [0.5]}),
            ({"*": "score"}, [0.5]),
            ({"a": "keep"}, {"a": [0.5]}),
            ({"a": "usage"}, {"a": {"b": 1}}),
            ({"a": "text"}, {"a": 0.5}),
            ({"a": "label"}, {"a": 0.5}),
        ],
    )
    def test_another_shape_is_unreadable(self, rules: Any, value: Any) -> None:
        with pytest.raises(UpstreamError):
            rewritten(rules, value)

    def test_items_of_the_outermost_array_answer_one_input_each(self) -> None:
        rules: dict[str, DeclaredKind] = {"a[].b[].x": "score"}
        seen: list[int | None] = []

        def watch(_source: Source | None, prediction: Prediction) -> Prediction:
            seen.append(run.at)
            return prediction

        run = Rewrite({"score": watch}, "m")
        value = {"a": [{"b": [{"x": 1.5}]}, {"b": [{"x": 2.5}, {"x": 3.5}]}]}
        of(rules, each=True).rewrite(value, run, "")
        of(rules, each=False).rewrite(value, run, "")
        assert seen == [0, 1, 1, None, None, None]

    @given(json_values)
    def test_only_our_own_error_escapes(self, value: Any) -> None:
        edits = {**OPEN, **tier({"probabilities": [TopK(k=1)]})}
        for rules in (RULES, {"[]": "score"}, {"*.*": "label"}, {"[].*": "probabilities"}):
            run = Rewrite(edits, "m")
            try:
                after = of(rules).rewrite(value, run, "")  # type: ignore[arg-type]
            except UpstreamError:
                continue
            assert after is ABSENT or orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY)

    @given(
        st.dictionaries(
            st.lists(st.sampled_from([EACH, ANY, "a", "b"]), min_size=1, max_size=4).map(
                lambda steps: shown(tuple(steps))
            ),
            st.sampled_from(["probabilities", "score", "embedding", "label", "text", "drop"]),
            max_size=5,
        ),
        json_values,
    )
    def test_whatever_is_declared_has_a_tree_or_a_flaw(self, rules: Any, value: Any) -> None:
        found = declared(rules)
        if isinstance(found, Flaw):
            assert found.path in rules
            return
        assert passes(found) is any(kind != "drop" for kind in rules.values())
        with suppress(UpstreamError):
            tree(found, each=True).rewrite(value, Rewrite({}, "m"), "")


@pytest.mark.parametrize(
    ("rules", "path", "wrong"),
    [
        ({"a[0]": "score"}, "a[0]", "not a path"),
        ({"a": "embedding"}, "a", "an embedding is the numbers of an array"),
        ({"a.*": "embedding"}, "a.*", "an embedding is the numbers of an array"),
        ({"a[].b": "embedding"}, "a[].b", "an embedding is the numbers of an array"),
        ({"a": "probabilities"}, "a", "probabilities are several numbers"),
        ({"a.b": "probabilities"}, "a.b", "probabilities are several numbers"),
        ({"a.*.b": "probabilities"}, "a.*.b", "probabilities are several numbers"),
        ({"a[].b.c": "probabilities"}, "a[].b.c", "probabilities are several numbers"),
        ({"a": "text", "a.b": "text"}, "a.b", "another path says that something else stands there"),
        ({"a.b": "text", "a": "text"}, "a", "another path says that something else stands there"),
        (
            {"a[]": "text", "a.*": "text"},
            "a.*",
            "another path says that something else stands there",
        ),
        (
            {"a[].p": "probabilities", "a[].q": "probabilities"},
            "a[].q",
            "the labels beside it might name another vector's classes",
        ),
        (
            {"x.p[]": "probabilities", "x.q[]": "probabilities", "x.l[]": "label"},
            "x.q[]",
            "the labels beside it might name another vector's classes",
        ),
    ],
)
def test_what_cannot_be_declared_is_told_by_its_path(rules: Any, path: str, wrong: str) -> None:
    flaw = declared(rules)
    assert isinstance(flaw, Flaw)
    assert (flaw.path, flaw.wrong) == (path, wrong)
    assert flaw.remedy


def test_two_vectors_without_labels_are_two() -> None:
    rules: dict[str, DeclaredKind] = {"p[]": "probabilities", "q[]": "probabilities"}
    value = {"p": [0.5, 0.5], "q": [0.25]}
    assert rewritten(rules, value) == value


def test_every_writable_name_has_a_path() -> None:
    assert writable("a-b")
    assert not writable("a.b")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"named.*": "probabilities", "id": "keep"}, False),
        ({"in.*.named.*": "probabilities"}, False),
        ({"classes[]": "label", "shares[]": "probabilities"}, False),
        ({"x[].name": "label", "x[].p": "probabilities"}, False),
        ({"x[].p": "probabilities"}, True),
        ({"rows[].shares[]": "probabilities"}, True),
        ({"in.*.shares[]": "probabilities"}, True),
        ({"vectors[][]": "embedding"}, False),
    ],
)
def test_whether_only_their_places_name_the_classes(
    rules: dict[str, DeclaredKind], expected: bool
) -> None:
    branch = declared(rules)
    assert not isinstance(branch, Flaw)
    assert positional(tree(branch, each=False)) is expected
