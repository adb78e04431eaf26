"""Messages: what a client may ask for, and which content blocks pass, numbered without gaps."""

import json
from typing import Any

import anthropic
import httpx2
import orjson
import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import AnthropicMessages
from extproc.dialects.answers import Events
from extproc.dialects.gate import Terms
from extproc.dialects.shape import ABSENT, Rewrite
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import (
    INVALID_REQUEST,
    OVERLOADED,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UNSUPPORTED_MEDIA_TYPE,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_status,
)
from extproc.rewriter import body_rewriter
from tests.corpus import answers, body
from tests.dialects.replay import CAP, played, singly, walked
from tests.dialects.tiers import MODEL, OPEN, Edits, is_untouched, leaves, served

MESSAGES = AnthropicMessages()
ANSWER = MESSAGES.answer()
ASKED: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hi"}],
}
TEXT: Edits = {"text": None, "label": None}
JSON, SSE = "application/json", "text/event-stream"
EVENTS = [orjson.loads(line) for line in body("anthropic_messages/stream.jsonl").splitlines()]


THOUGHTS = ("type", "thinking", "signature", "data")


def event(value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), orjson.dumps(value))


def stream(values: list[dict[str, Any]]) -> bytes:
    return b"".join(map(event, values))


def shown(values: list[dict[str, Any]], edits: Edits) -> list[dict[str, Any]]:
    """The documents of a stream as they leave, one event each, named by their type."""
    out = played(MESSAGES.answers(), SSE, [stream(values)], edits)
    read: list[dict[str, Any]] = []
    for each in out.decode().split("\n\n")[:-1]:
        name, data = each.split("\n")
        read.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {read[-1]['type']}"
    return read


def start(index: Any, kind: str = "text", **more: Any) -> dict[str, Any]:
    block = {"type": kind, **more}
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, kind: str = "text_delta", **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("anthropic_messages/request.json")
        asked = MESSAGES.read(original, {}, Terms(KINDS))
        assert asked.body is original
        assert asked.query == Query("claude-sonnet-4-5", inputs=1, stream=True)
        assert not asked.changed

    def test_a_request_without_stream_asks_for_a_document(self) -> None:
        for more in ({}, {"stream": None}, {"stream": False}):
            assert not MESSAGES.read(orjson.dumps(ASKED | more), {}, Terms(())).query.stream

    def test_what_the_tier_does_not_grant_is_not_asked_for(self) -> None:
        original = orjson.loads(body("anthropic_messages/request.json"))
        asked = MESSAGES.read(orjson.dumps(original), {}, Terms({"text"}))
        sent = orjson.loads(asked.body)
        assert original.keys() - sent.keys() == {"thinking", "service_tier"}
        assert asked.changed == {"thinking": 1, "service_tier": 1}

    def test_where_nothing_may_be_drawn_twice_sampling_is_not_chosen(self) -> None:
        asked = ASKED | {"temperature": 0.0, "top_k": 1, "top_p": 0.01}
        read = MESSAGES.read(orjson.dumps(asked), {}, Terms((), repeatable=False))
        assert orjson.loads(read.body) == ASKED | {"temperature": 0.3}
        assert read.changed == {"temperature": 1, "top_k": 1, "top_p": 1}

    def test_what_keys_a_draw_is_the_system_prompt_and_the_messages(self) -> None:
        asked = MESSAGES.read(orjson.dumps(ASKED | {"system": "s"}), {}, Terms(()))
        assert asked.inputs == (("s", ASKED["messages"]),)

    @pytest.mark.parametrize(
        "unknown",
        [
            "logprobs",
            "seed",
            "container",
            "diagnostics",
            "cache_control",
            "inference_geo",
            "mcp_servers",
            "context_management",
            "betas",
            "speed",
            "Thinking",
            "top-k",
            "",
        ],
    )
    def test_an_unknown_argument_is_refused(self, unknown: str) -> None:
        with pytest.raises(ClientError, match="Unrecognized request argument"):
            MESSAGES.read(orjson.dumps(ASKED | {unknown: True}), {}, Terms(KINDS))

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"model": None}, "'model'"),
            ({"model": ""}, "'model'"),
            ({"model": 7}, "'model'"),
            ({"messages": None}, "'messages'"),
            ({"messages": "hi"}, "'messages'"),
            ({"stream": 1}, "'stream'"),
            ({"stream": "true"}, "'stream'"),
            ({"metadata": {"trace": "x"}}, "metadata.trace"),
            ({"metadata": []}, "'metadata'"),
            ({"output_config": {"x": 1}}, "output_config.x"),
            ({"temperature": "0"}, "'temperature'"),
        ],
    )
    def test_a_wrong_value_is_refused_by_the_fields_name(
        self, wrong: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ClientError, match=words) as caught:
            MESSAGES.read(orjson.dumps(ASKED | wrong), {}, Terms((), repeatable=False))
        assert caught.value.refusal.status == 400


class TestDocument:
    def test_everything_known_passes_where_everything_is_granted(self) -> None:
        for document in answers("anthropic_messages")[:2]:
            left, dropped = served(ANSWER, document, OPEN)
            original = orjson.loads(document)
            if original.pop("diagnostics", None):
                assert dropped == {"*": 1}
            assert left == original
            assert is_untouched(ANSWER, orjson.dumps(left), OPEN)

    def test_text_passes_without_the_thoughts_between(self) -> None:
        document = body("anthropic_messages/answer.json")
        left, dropped = served(ANSWER, document, TEXT)
        assert b"s3cret" not in orjson.dumps(left)
        assert [block["type"] for block in left["content"]] == ["text"]
        assert left["content"][0] == orjson.loads(document)["content"][2]
        assert left["model"] == MODEL
        assert left["usage"] == {"input_tokens": 0, "output_tokens": 0}
        assert dropped["content[](thinking)"] == dropped["content[](redacted_thinking)"] == 1

    def test_thoughts_pass_without_text_where_they_alone_are_granted(self) -> None:
        left, _ = served(ANSWER, body("anthropic_messages/answer.json"), {"reasoning": None})
        assert [block["type"] for block in left["content"]] == ["thinking", "redacted_thinking"]
        assert left["content"][0]["signature"] == "EqQBCgIYAhs3cret"

    def test_the_results_of_a_search_are_text(self) -> None:
        document = body("anthropic_messages/answer_tools.json")
        left, _ = served(ANSWER, document, TEXT)
        original = orjson.loads(document)["content"]
        assert left["content"] == [block for block in original if block["type"] != "thinking"]
        assert served(ANSWER, document, {})[0]["content"] == []

    @pytest.mark.parametrize(
        ("kinds", "fields"),
        [
            (("score",), set[str]()),
            (("logprobs",), set[str]()),
            (("timing",), set[str]()),
            (("usage_detail",), set[str]()),
            (("label",), set[str]()),
            (("reasoning",), {f"content[].{name}" for name in THOUGHTS}),
            (
                ("identity",),
                {"container.id", "container.expires_at"}
                | {f"stop_details.{name}" for name in ("type", "category", "explanation")},
            ),
            (
                ("usage", "usage_detail"),
                {f"usage.cache_{name}_input_tokens" for name in ("creation", "read")}
                | {f"usage.cache_creation.ephemeral_{age}_input_tokens" for age in ("5m", "1h")}
                | {f"usage.server_tool_use.web_{name}_requests" for name in ("search", "fetch")}
                | {"usage.output_tokens_details.thinking_tokens"},
            ),
            (
                ("usage", "identity"),
                {"container.id", "container.expires_at"}
                | {f"stop_details.{name}" for name in ("type", "category", "explanation")}
                | {f"usage.{name}" for name in ("service_tier", "inference_geo", "speed")},
            ),
        ],
    )
    def test_a_kind_adds_its_own_fields_and_no_others(
        self, kinds: tuple[Kind, ...], fields: set[str]
    ) -> None:
        document = body("anthropic_messages/answer.json")
        bare = {*leaves(served(ANSWER, document, {})[0])} - {"content"}
        assert bare == {
            *("id", "type", "role", "model", "stop_reason", "stop_sequence"),
            *("usage.input_tokens", "usage.output_tokens"),
        }
        shown = {*leaves(served(ANSWER, document, dict.fromkeys(kinds))[0])} - {"content"}
        assert shown - bare == fields

    @pytest.mark.parametrize(
        "field", [{"thinking": "s3cret"}, {"signature": "s3cret"}, {"data": "s3cret"}]
    )
    def test_a_thought_in_a_block_of_text_does_not_pass(self, field: dict[str, str]) -> None:
        block = {"type": "text", "text": "a", **field, "x": "s3cret"}
        left, dropped = served(ANSWER, orjson.dumps({"content": [block]}), TEXT)
        assert left == {"content": [{"type": "text", "text": "a"}]}
        assert dropped == {f"content[].{next(iter(field))}": 1, "content[].*": 1}

    def test_a_block_of_a_type_that_is_not_known_is_taken_out_and_not_named(self) -> None:
        blocks = [{"type": "s3cret", "text": "s3cret"}, None, {"type": "text", "text": "a"}]
        left, dropped = served(ANSWER, orjson.dumps({"content": blocks}), OPEN)
        assert left == {"content": blocks[1:]}
        assert dropped == {"content[](*)": 1}

    @pytest.mark.parametrize("block", ["s3cret", 7, [], {}, {"type": None}, {"type": ["text"]}])
    def test_a_block_without_a_type_makes_the_answer_unreadable(self, block: Any) -> None:
        with pytest.raises(UpstreamError, match=r"content\[\] is not an object with a type"):
            served(ANSWER, orjson.dumps({"content": [block]}), OPEN)

    def test_an_error_makes_the_answer_unreadable(self) -> None:
        document = {"type": "error", "error": {"type": "api_error", "message": "s3cret"}}
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, orjson.dumps(document), OPEN)

    @pytest.mark.parametrize("edits", [OPEN, TEXT, {}, {"usage": None}])
    def test_large_documents_are_rewritten_like_small_ones(self, edits: Edits) -> None:
        for document in (*answers("anthropic_messages")[:2], b'{"usage":null,"content":null}'):
            left, _ = served(ANSWER, document, edits)
            assert orjson.loads(walked(ANSWER, document, edits)) == left

    def test_a_policy_adds_fields_by_their_path(self) -> None:
        allowing = AnthropicMessages(
            allow_response=("diagnostics", "content.caller", "usage.cost", "delta.text_offset")
        )
        block = {"type": "text", "text": "a", "caller": {"type": "direct"}}
        document = orjson.dumps({"content": [block], "usage": {"cost": 1}, "diagnostics": {}})
        assert is_untouched(allowing.answer(), document, OPEN)
        hidden, _ = served(allowing.answer(), document, TEXT)
        assert hidden["usage"] == {"input_tokens": 0, "output_tokens": 0}
        for known in ("content.text", "usage", "content.nothing.x"):
            with pytest.raises(KeyError):
                AnthropicMessages(allow_response=(known,)).answer()


class TestUsage:
    def usage(self, edits: Edits, **counts: Any) -> Any:
        return served(ANSWER, orjson.dumps({"usage": counts}), edits)[0]["usage"]

    def test_the_detail_passes_where_it_is_granted(self) -> None:
        counts = {"input_tokens": 5, "cache_read_input_tokens": 20, "output_tokens": 1}
        assert self.usage(OPEN, **counts) == counts

    def test_without_the_detail_what_was_cached_is_input_like_any_other(self) -> None:
        """Else a small count said that the prompt had been asked before, by whomever."""
        for cached in (0, 20, 25):
            counts = {
                "input_tokens": 25 - cached,
                "cache_read_input_tokens": cached,
                "cache_creation_input_tokens": 0,
                "output_tokens": 7,
            }
            assert self.usage({"usage": None}, **counts) == {"input_tokens": 25, "output_tokens": 7}

    def test_counts_that_are_not_there_are_not_made_up(self) -> None:
        granted: Edits = {"usage": None}
        assert self.usage(granted, output_tokens=7) == {"output_tokens": 7}
        only_cached = {"cache_read_input_tokens": 5, "output_tokens": 7}
        assert self.usage(granted, **only_cached) == {"output_tokens": 7}
        nothing = {"input_tokens": 3, "cache_read_input_tokens": None}
        assert self.usage(granted, **nothing) == {
            "input_tokens": 3,
            "cache_read_input_tokens": None,
        }
        assert served(ANSWER, b'{"usage":null}', {})[0] == {"usage": None}

    @pytest.mark.parametrize("wrong", [0.5, True, "7"])
    @pytest.mark.parametrize("name", ["input_tokens", "cache_read_input_tokens"])
    def test_what_cannot_be_added_makes_the_answer_unreadable(self, name: str, wrong: Any) -> None:
        with pytest.raises(UpstreamError, match="usage holds a count"):
            self.usage({"usage": None}, **({"input_tokens": 1} | {name: wrong}))

    def test_another_shape_is_unreadable(self) -> None:
        for wrong in (b'{"usage":7}', b'{"usage":{"input_tokens":[7]}}'):
            with pytest.raises(UpstreamError):
                served(ANSWER, wrong, {"usage": None})


class TestStream:
    def test_everything_known_passes_where_everything_is_granted(self) -> None:
        assert shown(EVENTS, OPEN) == EVENTS
        assert played(MESSAGES.answers(), SSE, [stream(EVENTS)], OPEN) == stream(EVENTS)

    def test_the_blocks_that_pass_are_numbered_from_0_without_gaps(self) -> None:
        left = shown(EVENTS, TEXT)
        assert b"s3cret" not in orjson.dumps(left)
        assert [(each["type"][14:], each["index"]) for each in left if "index" in each] == [
            ("start", 0),
            ("delta", 0),
            ("delta", 0),
            ("delta", 0),
            ("stop", 0),
            ("start", 1),
            ("delta", 1),
            ("delta", 1),
            ("stop", 1),
        ]
        assert [each["type"] for each in left if "index" not in each] == [
            "message_start",
            "ping",
            "message_delta",
            "message_stop",
        ]

    def test_it_does_not_matter_how_the_stream_was_cut(self) -> None:
        whole = played(MESSAGES.answers(), SSE, [stream(EVENTS)], TEXT)
        assert played(MESSAGES.answers(), SSE, singly(stream(EVENTS)), TEXT) == whole

    def test_each_stream_has_its_own_numbers(self) -> None:
        assert shown(EVENTS, TEXT) == shown(EVENTS, TEXT)

    def test_a_number_may_be_given_again_once_its_block_is_ended(self) -> None:
        values = [start(0, "thinking"), stop(0), start(0, text=""), stop(0)]
        assert shown(values, TEXT) == values[2:]

    def test_what_an_event_has_no_field_for_goes_with_it(self) -> None:
        values = [
            {"type": "s3cret", "delta": {"type": "text_delta", "text": "s3cret"}},
            start(0, "s3cret", text="s3cret"),
            delta(0, text="s3cret"),
            stop(0),
            start(1, text=""),
            delta(1, "s3cret_delta", text="s3cret"),
            delta(1, "thinking_delta", thinking="s3cret"),
            delta(1, text="a", thinking="s3cret", x="s3cret"),
            stop(1),
        ]
        assert shown(values, TEXT) == [start(0, text=""), delta(0, text="a"), stop(0)]

    def test_what_was_taken_out_is_counted_by_its_place(self) -> None:
        run = Rewrite(TEXT, MODEL)
        node = _node()
        for each in (start(0, "thinking"), delta(0, "thinking_delta"), stop(0)):
            assert node.rewrite(each, run, "") is ABSENT
        assert node.rewrite({"type": "x"}, run, "") is ABSENT
        assert run.dropped == {
            "content_block(thinking)": 1,
            "(content_block_delta)": 1,
            "(content_block_stop)": 1,
            "(*)": 1,
        }

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ([delta(0, text="a")], "has not begun"),
            ([stop(0)], "has not begun"),
            ([start(0, text=""), delta(1, text="a")], "has not begun"),
            ([start(0, text=""), stop(0), stop(0)], "has not begun"),
            ([start(0, text=""), start(0, text="")], "no number of its own"),
            ([start("0", text="")], "no number of its own"),
            ([start(0, text=""), delta("0", text="a")], "has not begun"),
            ([start(0, text=""), delta([0], text="a")], "has not begun"),
            ([start(True, text="")], "no number of its own"),
            ([start(None, text="")], "no number of its own"),
            ([{"type": "content_block_start"}], "no number of its own"),
            ([{"type": "content_block_start", "index": 0}], "no content_block"),
            ([start(0), {"type": "content_block_delta", "index": 0}], "no delta"),
            ([start(0), {"type": "content_block_delta", "index": 0, "delta": None}], "no delta"),
            ([start(0), {"type": "content_block_delta", "index": 0, "delta": {}}], "with a type"),
            ([{"type": "error", "error": {"message": "s3cret"}}], "reports an error"),
            ([start(number, text="") for number in range(65)], "more than 64"),
        ],
    )
    def test_a_stream_that_is_not_of_the_api_is_unreadable(
        self, values: list[dict[str, Any]], words: str
    ) -> None:
        with pytest.raises(UpstreamError, match=words) as caught:
            shown(values, OPEN)
        assert "s3cret" not in str(caught.value)

    def test_as_many_blocks_may_be_open_as_are_remembered(self) -> None:
        values = [start(number, text="") for number in range(64)]
        assert shown(values, OPEN) == values

    @pytest.mark.parametrize("data", [b"[]", b"7", b"null", b'"s3cret"'])
    def test_an_event_that_is_no_object_is_unreadable(self, data: bytes) -> None:
        with pytest.raises(UpstreamError, match="not an object"):
            played(MESSAGES.answers(), SSE, [b"data: " + data + b"\n\n"], OPEN)

    @given(
        blocks=st.lists(
            st.sampled_from(["text", "thinking", "tool_use", "redacted_thinking", "other"])
        ),
        first=st.integers(-5, 5),
        granted=st.sets(st.sampled_from(["text", "reasoning"])),
    )
    def test_whatever_passes_is_numbered_as_clients_count(
        self, blocks: list[str], first: int, granted: set[Kind]
    ) -> None:
        values = [
            each
            for number, kind in enumerate(blocks, first)
            for each in (start(number, kind), delta(number, text=""), stop(number))
        ]
        left = shown(values, dict.fromkeys(granted))
        starts = [each for each in left if each["type"] == "content_block_start"]
        assert [each["index"] for each in starts] == [*range(len(starts))]
        passing = {"text": {"text", "tool_use"}, "reasoning": {"thinking", "redacted_thinking"}}
        known = set[str]().union(*(passing[kind] for kind in granted))
        kinds = [each["content_block"]["type"] for each in starts]
        assert kinds == [kind for kind in blocks if kind in known]


def _node() -> Any:
    answer = MESSAGES.answers()[SSE]
    assert isinstance(answer, Events)
    return answer.node


def client(content_type: str, content: bytes) -> anthropic.Anthropic:
    """Anthropic's own client, which gets this answer to whatever it asks."""

    def answered(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=content)

    transport = httpx2.MockTransport(answered)
    return anthropic.Anthropic(
        api_key="k", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


TIERS = pytest.mark.parametrize(
    "granted", [(), ("text",), ("text", "usage"), ("text", "usage", "reasoning"), KINDS]
)


class TestClient:
    @TIERS
    @pytest.mark.parametrize("document", answers("anthropic_messages")[:2])
    def test_it_reads_documents(self, document: bytes, granted: tuple[Kind, ...]) -> None:
        edits: Edits = dict.fromkeys(granted)
        out = played(MESSAGES.answers(), JSON, [document], edits)
        Message.model_validate_json(out, strict=True)
        read = client(JSON, out).messages.create(
            model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
        assert read.usage.output_tokens == (503 if "usage" in granted else 0)
        wanted = _types(granted, [block["type"] for block in orjson.loads(document)["content"]])
        assert [block.type for block in read.content] == wanted

    @TIERS
    def test_it_reads_streams(self, granted: tuple[Kind, ...]) -> None:
        out = played(MESSAGES.answers(), SSE, [stream(EVENTS)], dict.fromkeys(granted))
        with client(SSE, out).messages.stream(
            model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as events:
            message = events.get_final_message()
        wanted = _types(granted, ["thinking", "text", "redacted_thinking", "tool_use"])
        assert [block.type for block in message.content] == wanted
        texts = [block for block in message.content if block.type == "text"]
        assert [block.text for block in texts] == (["It is 12231."] if texts else [])
        tools = [block for block in message.content if block.type == "tool_use"]
        assert [block.input for block in tools] == ([{"a": 27, "b": 453}] if tools else [])
        assert message.usage.output_tokens == (503 if "usage" in granted else 0)

    def test_it_reports_a_stream_that_was_cut(self) -> None:
        machine = body_rewriter(MESSAGES.answers()[SSE], {}, Rewrite(TEXT, MODEL), CAP)
        out = b"".join(filter(None, machine.feed(stream(EVENTS[:8]))))
        last = machine.cut(MESSAGES.error(UPSTREAM_UNREADABLE))
        assert last is not None
        assert last.startswith(b"event: error\ndata: {")
        with (
            pytest.raises(anthropic.APIStatusError, match="cannot be released"),
            client(SSE, out + last).messages.stream(
                model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            ) as events,
        ):
            events.until_done()


def _types(granted: tuple[Kind, ...], types: list[str]) -> list[str]:
    """Of the blocks that are known, those a tier lets through."""
    thoughts = {"thinking", "redacted_thinking"}
    return [each for each in types if ("reasoning" if each in thoughts else "text") in granted]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (INVALID_REQUEST, "invalid_request_error"),
        (UNAUTHENTICATED, "authentication_error"),
        (of_status(403), "permission_error"),
        (UNKNOWN_MODEL, "not_found_error"),
        (TOO_LARGE, "request_too_large"),
        (UNSUPPORTED_MEDIA_TYPE, "invalid_request_error"),
        (RATE_LIMITED, "rate_limit_error"),
        (of_status(500), "api_error"),
        (UPSTREAM_UNREADABLE, "api_error"),
        (OVERLOADED, "overloaded_error"),
        (of_status(504), "timeout_error"),
    ],
)
def test_an_error_has_anthropics_shape(refusal: Refusal, kind: str) -> None:
    assert orjson.loads(MESSAGES.error(refusal)) == {
        "type": "error",
        "error": {"type": kind, "message": refusal.message},
    }
