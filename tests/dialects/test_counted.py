"""Token counts: noted wherever they stand, and nothing is changed by it."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.dialects.allowing import allowing
from extproc.dialects.counted import Counted
from extproc.dialects.gathered import Gathered
from extproc.dialects.mutation import Gathering
from extproc.dialects.shape import ABSENT, Anything, Fields, Gate, Items, Json, Keep, Node, Rewrite
from extproc.prediction import Usage
from tests.dialects.tiers import MODEL, OPEN, Edits


def through(node: Node, value: Json, edits: Edits) -> tuple[Any, dict[str, int]]:
    run = Rewrite(edits, MODEL)
    return node.rewrite(value, run, ""), run.dropped


COUNTS = Counted(Gate("usage", Fields({"in": Keep(), "out": Keep()})), ("in", "cached"), ("out",))
LARGEST = 2**53 - 1


def counted(node: Node, *values: Json, edits: Edits = OPEN) -> Usage:
    run = Rewrite(edits, MODEL)
    for value in values:
        node.rewrite(value, run, "usage")
    return run.told.usage


@pytest.mark.parametrize("edits", [OPEN, {}])
def test_counts_are_noted_whether_they_pass_or_not(edits: Edits) -> None:
    assert counted(COUNTS, {"in": 7, "cached": 2, "out": 3}, edits=edits) == Usage(9, 3)
    assert through(COUNTS, {"in": 7}, edits)[0] == ({"in": 7} if edits else ABSENT)


@pytest.mark.parametrize(
    "value", [-1, 2**53, 1.0, 1.5, True, "7", None, [7], {"in": 7}, 10**400, float("inf")]
)
def test_what_is_no_count_is_not_noted(value: Json) -> None:
    node = Counted(Anything(), ("in",), ("out",))
    assert counted(node, {"in": value, "out": 3}) == Usage(None, 3)
    assert counted(Counted(Anything(), input=()), value) == Usage()


@pytest.mark.parametrize("value", [None, 7, "in", [], {}, {"other": 1}])
def test_where_nothing_is_told_nothing_is_noted(value: Json) -> None:
    assert counted(Counted(Anything(), ("in",), ("a.out",)), value) == Usage()


def test_a_count_may_stand_deeper_or_be_the_value_itself() -> None:
    assert counted(Counted(Anything(), ("a.b", "c")), {"a": {"b": 1}, "c": 2}) == Usage(3, None)
    assert counted(Counted(Anything(), output=()), 5) == Usage(None, 5)
    assert counted(Counted(Counted(Anything(), ("all",)), ("in",)), {"all": 9}) == Usage(9, None)


def test_of_a_count_that_is_told_again_the_largest_holds() -> None:
    assert counted(COUNTS, {"in": 7, "out": 1}, {"out": 4}, {"in": 3, "out": 2}) == Usage(7, 4)


def test_counts_that_are_each_of_something_else_are_added() -> None:
    node = Counted(Anything(), input=(), added=True)
    assert counted(node, 3, 0, None, 4) == Usage(7, None)


def test_no_sum_is_larger_than_a_count_may_be() -> None:
    assert counted(COUNTS, {"in": LARGEST, "cached": LARGEST}).input_tokens == LARGEST
    node = Counted(Anything(), input=(), added=True)
    assert counted(node, LARGEST, LARGEST) == Usage(LARGEST, None)


def test_a_field_may_be_allowed_beside_counts() -> None:
    node = allowing(COUNTS, ["cost"])
    assert through(node, {"in": 1, "cost": 2}, OPEN)[0] == {"in": 1, "cost": 2}
    assert counted(node, {"in": 1, "cost": 2}) == Usage(1, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
)
told = st.dictionaries(st.sampled_from(["in", "cached", "out"]), json_values) | json_values


@given(st.lists(told, max_size=4), st.booleans())
def test_counts_only_grow_and_stay_in_their_bounds(values: list[Json], added: bool) -> None:
    node, before = Counted(Anything(), ("in", "cached"), ("out",), added), Usage()
    run = Rewrite(OPEN, MODEL)
    for value in values:
        node.rewrite(value, run, "")
        for old, new in ((before.input_tokens, run.told.usage.input_tokens),
                         (before.output_tokens, run.told.usage.output_tokens)):  # fmt: skip
            assert (old or 0) <= (new or 0) <= LARGEST
            assert not (old is not None and new is None)
        before = run.told.usage


def test_what_is_walked_twice_is_counted_once() -> None:
    node = Gathered(Items(Fields({"n": Counted(Keep(), input=(), added=True)}), each=True))
    gathering: Edits = {"embedding": Gathering(lambda _source, each: each, list)}
    run = Rewrite(gathering, MODEL)
    assert node.rewrite([{"n": 2}, {"n": 3}], run, "") == [{"n": 2}, {"n": 3}]
    assert run.told.usage == Usage(5, None)
