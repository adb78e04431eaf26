"""The tree of a response: items and parts by type, and nothing that merely repeats the request."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.openai_response import ITEM, PART, RESPONSE
from extproc.errors import UpstreamError
from extproc.prediction import KINDS, Kind
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, is_untouched, leaves, served

DOCUMENT = body("openai_responses/answer.json")
MODERATED = "moderation.input"
BY_KIND: dict[Kind, set[str]] = {
    "usage": {f"usage.{name}_tokens" for name in ("input", "output", "total")},
    "usage_detail": {
        f"prompt_cache_diagnostics.{name}" for name in ("type", "reason", "cache_missed_tokens")
    },
    "identity": {"service_tier", f"{MODERATED}.model"},
    "label": {
        f"{MODERATED}.{name}"
        for name in ("flagged", "categories.violence", "category_applied_input_types.violence[]")
    },
    "score": {f"{MODERATED}.category_scores.violence"},
}
DETAILS = {
    "usage.input_tokens_details.cached_tokens",
    "usage.input_tokens_details.cache_write_tokens",
    "usage.output_tokens_details.reasoning_tokens",
}


@given(st.sets(st.sampled_from(KINDS)))
def test_a_tier_passes_the_fields_of_its_kinds_beside_the_output(granted: set[Kind]) -> None:
    closed = set(leaves(served(RESPONSE, DOCUMENT, {})[0]))
    shown, _ = served(RESPONSE, DOCUMENT, dict.fromkeys(granted))
    passing = closed.union(*(BY_KIND.get(kind, set()) for kind in granted))
    if {"usage", "usage_detail"} <= granted:
        passing |= DETAILS
    if "score" in granted:
        passing.remove(f"{MODERATED}.category_scores")
    assert {place for place in leaves(shown) if not place.startswith("output[]")} == {
        place for place in passing if not place.startswith("output[]")
    }
    for secret in (b"s3cret", b"2025-08-07")[: 1 if "identity" in granted else 2]:
        assert secret not in orjson.dumps(shown)


@pytest.mark.parametrize(
    ("granted", "types"),
    [
        ((), ["message"]),
        (("text",), ["file_search_call", "message", "function_call"]),
        (("reasoning",), ["reasoning", "message"]),
        (KINDS, ["reasoning", "file_search_call", "message", "function_call"]),
    ],
)
def test_items_pass_whole_or_not_at_all(granted: tuple[Kind, ...], types: list[str]) -> None:
    shown, _ = served(RESPONSE, DOCUMENT, dict.fromkeys(granted))
    assert [item["type"] for item in shown["output"]] == types
    assert (b"gAAAA" in orjson.dumps(shown)) is ("reasoning" in granted)


@pytest.mark.parametrize("document", answers("openai_responses")[:2])
def test_a_response_of_known_fields_is_untouched(document: bytes) -> None:
    known, _ = served(RESPONSE, document, OPEN)
    assert is_untouched(RESPONSE, orjson.dumps(known), OPEN)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "compaction", "id": "c", "encrypted_content": "x"},
        {"type": "custom_tool_call", "id": "c", "call_id": "1", "name": "f", "input": "x"},
        {
            "type": "web_search_call",
            "action": {"type": "search", "queries": ["q"], "sources": [{"type": "url"}]},
        },
        {"type": "code_interpreter_call", "code": "1", "outputs": [{"type": "logs", "logs": "1"}]},
        {"type": "image_generation_call", "result": "iVBO", "size": "1024x1024"},
        {"type": "mcp_call", "name": "f", "server_label": "s", "output": "x", "error": None},
        {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "f"}], "error": "no"},
        {"type": "mcp_approval_request", "name": "f", "server_label": "s", "arguments": "{}"},
    ],
)
def test_what_tools_did_passes_at_the_tiers_of_text_or_reasoning(item: dict[str, Any]) -> None:
    assert is_untouched(ITEM, orjson.dumps(item), OPEN)
    assert not isinstance(served_item(item), dict)


def served_item(item: dict[str, Any]) -> Any:
    shown, _ = served(RESPONSE, orjson.dumps({"output": [item]}), {})
    return shown["output"][0] if shown["output"] else None


def test_the_error_of_a_tool_is_a_scalar_or_goes() -> None:
    item = {"type": "mcp_call", "error": {"type": "http", "message": "10.0.0.7"}}
    assert served(ITEM, orjson.dumps(item), OPEN)[0] == {"type": "mcp_call"}


def test_logprobs_of_a_part_that_are_withheld_leave_an_empty_array() -> None:
    entry = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}
    part = {"type": "output_text", "text": "a", "annotations": [], "logprobs": [entry]}
    shown, dropped = served(PART, orjson.dumps(part), {"text": None})
    assert shown == part | {"logprobs": []}
    assert sum(dropped.values()) == 1
    for nothing in (b"[]", b"null"):
        assert is_untouched(PART, b'{"type":"output_text","logprobs":%s}' % nothing, {"text": None})


@pytest.mark.parametrize(
    "wrong",
    [
        {"output": {}},
        {"output": ["message"]},
        {"output": [{"type": "message", "content": "text"}]},
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": ["a"]}]}]},
        {"output": [{"type": "file_search_call", "results": [{"score": "high"}]}]},
        {"status": ["completed"]},
        {"error": {"code": "server_error", "message": "gpu-07"}},
    ],
)
def test_another_shape_is_unreadable(wrong: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError) as caught:
        served(RESPONSE, orjson.dumps(wrong), OPEN)
    assert "gpu-07" not in str(caught.value)
