"""Events of a response: what goes leaves no gap, and no event passes that is not named."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.dialects.openai_response import RESPONSE
from extproc.dialects.openai_response_events import MOST, response_events
from extproc.dialects.shape import ABSENT, Json, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import KINDS
from tests.dialects.tiers import Edits

EVENT = response_events(RESPONSE)
TEXT: Edits = {"text": None}
PART = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}


def added(index: int, kind: str, **more: Json) -> dict[str, Json]:
    item = {"type": kind, "id": f"i{index}", **more}
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def part(index: int, at: int, kind: str = "output_text") -> dict[str, Json]:
    found = PART if kind == "output_text" else {"type": kind, "data": "s3cret"}
    event = {"type": "response.content_part.added", "output_index": index, "content_index": at}
    return {**event, "part": found}


def delta(index: int, at: int) -> dict[str, Json]:
    event = {"type": "response.output_text.delta", "output_index": index, "content_index": at}
    return {**event, "delta": "a", "logprobs": []}


def left(events: list[dict[str, Json]], edits: Edits, *, first: int = 0) -> list[dict[str, Json]]:
    run = Rewrite(edits, "m")
    numbered = [e | {"sequence_number": n} for n, e in enumerate(events, first)]
    after = [EVENT.rewrite(event, run, "") for event in numbered]
    return [event for event in after if event is not ABSENT]


@pytest.mark.parametrize("first", [0, 7])
def test_numbers_go_on_without_a_gap_from_where_they_began(first: int) -> None:
    events = [added(0, "reasoning"), added(1, "message"), {"type": "response.unknown"}]
    events += [part(1, 0), delta(1, 0)]
    after = left(events, TEXT, first=first)
    assert [event["sequence_number"] for event in after] == [first, first + 1, first + 2]


def test_an_event_without_a_number_leaves_none_missing() -> None:
    run = Rewrite(TEXT, "m")
    assert EVENT.rewrite({"type": "response.unknown"}, run, "") is ABSENT
    kept = {"type": "keepalive", "sequence_number": 0}
    assert EVENT.rewrite(kept, run, "") is kept
    bare = delta(0, 0)
    assert EVENT.rewrite(bare, run, "") is bare


@given(st.lists(st.sampled_from(["reasoning", "message", "program"]), max_size=6))
def test_items_that_pass_are_counted_from_zero(kinds: list[str]) -> None:
    events = [added(index, kind, content=[]) for index, kind in enumerate(kinds)]
    after = left(events, TEXT)
    assert [event["output_index"] for event in after] == list(range(kinds.count("message")))
    assert [e["item"]["id"] for e in after] == [
        f"i{index}" for index, kind in enumerate(kinds) if kind == "message"
    ]


@given(st.lists(st.sampled_from(["output_text", "audio"]), max_size=6))
def test_parts_that_pass_are_counted_from_zero(kinds: list[str]) -> None:
    events = [added(0, "message", content=[])]
    for at, kind in enumerate(kinds):
        events += [part(0, at, kind), delta(0, at)]
    after = left(events, TEXT)[1:]
    whole = range(kinds.count("output_text"))
    assert [event["content_index"] for event in after] == [at for at in whole for _ in (0, 1)]


def test_everything_about_an_item_that_has_gone_goes() -> None:
    events = [added(0, "program"), part(0, 0), delta(0, 0), added(1, "message"), delta(1, 0)]
    events += [{"type": "response.output_item.done", "output_index": 0, "item": PART}]
    assert [event["type"] for event in left(events, dict.fromkeys(KINDS))] == [
        "response.output_item.added",
        "response.output_text.delta",
    ]


def test_what_was_said_of_an_item_first_holds() -> None:
    """An item that turns into another at its end goes then, and moves no other."""
    turned = {"type": "response.output_item.done", "output_index": 0}
    turned["item"] = {"type": "program", "code": "s3cret"}
    after = left([added(0, "message"), added(1, "message"), turned, delta(1, 0)], TEXT)
    assert [event["output_index"] for event in after] == [0, 1, 1]


def test_an_item_that_is_null_passes_as_null() -> None:
    event = {"type": "response.output_item.added", "output_index": 0, "item": None}
    assert left([event], {}) == [event | {"sequence_number": 0}]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta", "delta": "s3cret"},
        {"type": "response.reasoning_text.done", "text": "s3cret"},
        {"type": "response.reasoning_summary_text.delta", "delta": "s3cret"},
        {"type": "response.reasoning_part.added", "part": {"type": "reasoning_text", "text": "s"}},
        {"type": "response.refusal.done", "refusal": "s3cret"},
        {"type": "response.function_call_arguments.done", "arguments": "s3cret"},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "s3cret"},
        {"type": "response.output_text.annotation.added", "annotation": {"title": "s3cret"}},
        {"type": "response.web_search_call.searching", "item_id": "ws"},
        {"type": "response.audio.delta", "delta": "s3cret"},
        {"type": "response.output_text.logits", "logits": ["s3cret"]},
        {"delta": "s3cret"},
    ],
)
def test_without_its_kind_an_event_goes(event: dict[str, Any]) -> None:
    assert left([event], {}) == []


@pytest.mark.parametrize("name", ["output_index", "content_index", "sequence_number"])
@pytest.mark.parametrize("wrong", [-1, "0", True, 0.5, [0]])
def test_an_index_is_a_whole_number(name: str, wrong: Any) -> None:
    with pytest.raises(UpstreamError, match=f"{name} is not an index"):
        EVENT.rewrite(delta(0, 0) | {name: wrong}, Rewrite(TEXT, "m"), "")


@pytest.mark.parametrize("wrong", [None, [], "response.created", 1])
def test_what_is_no_object_is_no_event(wrong: Any) -> None:
    with pytest.raises(UpstreamError, match="not an object"):
        EVENT.rewrite(wrong, Rewrite(TEXT, "m"), "")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "message": "gpu-07", "code": None},
        {"type": "response.failed", "response": {"error": {"message": "gpu-07"}}},
    ],
)
def test_an_event_that_reports_an_error_does_not_pass(event: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError, match="reports an error") as caught:
        left([event], TEXT)
    assert "gpu-07" not in str(caught.value)


def test_items_and_parts_that_are_told_apart_are_bounded() -> None:
    for events in (
        [added(index, "message") for index in range(MOST + 1)],
        [part(index % 7, index) for index in range(MOST + 1)],
    ):
        with pytest.raises(UpstreamError, match=f"more than {MOST} items and parts"):
            left(events, TEXT)
