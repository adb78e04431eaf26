"""In turns a value becomes what it becomes at once; and where it is long, there are turns."""

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.answers import at_once
from extproc.dialects.cell import cell
from extproc.dialects.openai_logprobs import ENTRIES, Withheld
from extproc.dialects.shape import (
    ABSENT,
    Either,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    Node,
    Opaque,
    Rewrite,
    Rows,
)
from extproc.dialects.turns import STEP, in_turns
from extproc.dialects.variants import Variants
from extproc.errors import UpstreamError
from extproc.mutators import Round, TopK
from tests.dialects.documents import TREES
from tests.dialects.documents import bodies as documents
from tests.dialects.tiers import OPEN, Edits, tier

_ROW = cell("probabilities")
TREE = Fields(
    {
        "id": Keep(),
        "rows": Items(_ROW, each=True),
        "nested": Rows(Items(Keep())),
        "either": Either(Fields({"a": Keep()}), Items(_ROW), Keep()),
        "logprobs": Gate("logprobs", Fields({"content": ENTRIES, "part": Withheld()})),
        "parts": Items(Variants({"text": Fields({"type": Keep(), "text": Opaque("text")})})),
        "text": Leaf("text", lambda value, edit, place: value),
    }
)
LOWERED = tier({"probabilities": [Round(digits=1)], "logprobs": [TopK(k=1), Round(digits=2)]})
EDITS: list[Edits] = [OPEN, LOWERED, {}, tier({"text": [], "logprobs": []})]
rows = st.lists(st.sampled_from([[0.25, 0.75], [0.33, 0.67], [1.0], []]), max_size=9)
token = st.fixed_dictionaries(
    {"token": st.just("a"), "logprob": st.sampled_from([-0.5, -1.25, 0.0]), "bytes": st.just([97])}
)
entry = st.builds(lambda one, others: {**one, "top_logprobs": others}, token, st.lists(token))
entries = st.lists(st.none() | entry, max_size=9)
part = st.sampled_from([{"type": "text", "text": "a"}, {"type": "x"}, None, {"type": "text"}])
values = st.fixed_dictionaries(
    {},
    optional={
        "id": st.none() | st.just("a"),
        "rows": st.none() | rows,
        "nested": rows | st.lists(rows, max_size=3),
        "either": st.one_of(rows, st.just({"a": 1, "x": 2}), st.just(7)),
        "logprobs": st.none()
        | st.fixed_dictionaries({"content": entries, "part": st.none() | entries}),
        "parts": st.lists(part, max_size=5),
        "text": st.just({"a": 1}),
        "x": rows,
    },
)


def outcome(after: Any, run: Rewrite, value: Json) -> Any:
    shown = None if after is ABSENT else orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY)
    return shown, after is value, dict(run.dropped), run.at


def both(node: Node, value: Json, edits: Edits, size: int) -> tuple[Any, Any]:
    """What it becomes at once and in turns; or the error's words."""
    told = []
    for steps in (False, True):
        run = Rewrite(edits, "m")
        try:
            after = (
                at_once(in_turns(node, value, run, "", size))
                if steps
                else node.rewrite(value, run, "")
            )
        except UpstreamError as error:
            told.append(str(error))
        else:
            told.append(outcome(after, run, value))
    return told[0], told[1]


sizes = st.sampled_from([1, STEP + 1, 10 * STEP, 1000 * STEP])


@given(values, st.sampled_from(EDITS), sizes)
def test_it_comes_to_the_same(value: Json, edits: Edits, size: int) -> None:
    at_one, in_steps = both(TREE, value, edits, size)
    assert at_one == in_steps


@pytest.mark.parametrize("name", TREES)
@given(data=st.data())
def test_it_comes_to_the_same_for_answers_of_apis(name: str, data: st.DataObject) -> None:
    try:
        value = orjson.loads(data.draw(documents(name)))
    except orjson.JSONDecodeError:
        return
    at_one, in_steps = both(TREES[name], value, data.draw(st.sampled_from(EDITS)), 100 * STEP)
    assert at_one == in_steps


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": {}},
        {"rows": [[2.0]]},
        {"parts": [[]]},
        {"parts": [7]},
        {"logprobs": []},
        {"logprobs": {"content": {}}},
        {"logprobs": {"part": {}}},
        {"text": 7},
        [],
    ],
)
def test_what_is_wrong_is_as_wrong(wrong: Json) -> None:
    at_one, in_steps = both(TREE, wrong, OPEN, 100 * STEP)
    assert at_one == in_steps


def turns(node: Node, value: Json, size: int) -> int:
    return sum(1 for _ in in_turns(node, value, Rewrite(LOWERED, "m"), "", size))


def test_others_have_their_turn_about_every_step() -> None:
    value = {"rows": [[0.25, 0.75]] * 1000}
    assert turns(TREE, value, 20 * STEP) == pytest.approx(19, abs=2)
    assert turns(TREE, value, STEP) == 0
    one = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    assert turns(TREE, {"logprobs": {"content": [one] * 640}}, 20 * STEP) == 9


def test_an_error_between_two_turns_leaves_no_input_behind() -> None:
    run = Rewrite(OPEN, "m")
    steps: Iterator[None] = in_turns(TREE, {"rows": [[0.5]] * 99 + [["a"]]}, run, "", 50 * STEP)
    with pytest.raises(UpstreamError):
        list(steps)
    assert run.at is None
