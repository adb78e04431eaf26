"""Cohere's chat: what of a message and of a stream's events passes at which tier."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from extproc.dialects import CohereChat
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Rewrite
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.framing.sse import EventStream
from extproc.mutators import Drop, Round
from extproc.prediction import KINDS, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from extproc.rewriter import body_rewriter
from tests.corpus import body
from tests.dialects.documents import bytewise
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.dialects.ways import CAP, GRANTED, TIERS, Swept, goes_on_as_it_is, left, refusing

CHAT = CohereChat()
ASKED: Mapping[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
EVENTS = [orjson.loads(line) for line in body("cohere_chat/stream.jsonl").splitlines()]
STREAM = b"".join(
    b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in EVENTS
)
SILENT: Edits = {kind: None for kind in KINDS if kind != "reasoning"}


def streamed(stream: bytes, edits: Edits) -> list[tuple[str, Any]]:
    """Name and document of each event that leaves, however the stream was cut."""
    whole = _streamed([stream], edits)
    assert _streamed(bytewise(stream), edits) == whole
    events = EventStream(CAP)
    seen = [*events.feed(whole), *events.finish()]
    assert b"".join(event.raw for event in seen) == whole
    return [
        (event.raw.split(b"\n")[0].decode(), orjson.loads(event.data))
        for event in seen
        if event.data not in {None, b"[DONE]"}
    ]


def _streamed(pieces: list[bytes], edits: Edits) -> bytes:
    rewriter = body_rewriter(CHAT.answers()["text/event-stream"], {}, Rewrite(edits, MODEL), CAP)
    return b"".join(b"".join(filter(None, rewriter.feed(piece))) for piece in pieces) + b"".join(
        filter(None, rewriter.finish())
    )


@pytest.mark.parametrize("name", ["answer", "answer_tool_calls"])
def test_real_answers_keep_the_laws(name: str) -> None:
    document = body(f"cohere_chat/{name}.json")
    for edits in TIERS:
        left(CHAT.answer(), document, edits)


class TestRequest:
    def test_a_request_of_known_fields_goes_on_as_it_is(self) -> None:
        goes_on_as_it_is(CHAT, "cohere_chat/request.json")

    def test_it_asks_for_a_stream_where_it_says_so(self) -> None:
        for stream in (None, False, True):
            asked = CHAT.read(orjson.dumps({**ASKED, "stream": stream}), {}, GRANTED)
            assert asked.query == Query("m", inputs=1, stream=bool(stream))
            assert asked.inputs == (ASKED["messages"],)

    @pytest.mark.parametrize(
        "wanted", [{"type": "json_object", "schema": {}}, {"json_schema": {}}, "json"]
    )
    def test_a_schema_and_logprobs_together_are_refused(self, wanted: Any) -> None:
        asked = orjson.dumps({**ASKED, "logprobs": True, "response_format": wanted})
        with pytest.raises(ClientError, match="cannot be combined"):
            CHAT.read(asked, {}, Terms({"logprobs"}))
        sent = orjson.loads(CHAT.read(asked, {}, Terms(())).body)
        assert sent == {**ASKED, "response_format": wanted}
        free = orjson.dumps({**ASKED, "logprobs": True, "response_format": {"type": "json_object"}})
        assert CHAT.read(free, {}, Terms({"logprobs"})).body is free

    def test_logprobs_are_asked_for_only_where_they_are_granted(self) -> None:
        asked = CHAT.read(orjson.dumps({**ASKED, "logprobs": True}), {}, Terms({"text"}))
        assert orjson.loads(asked.body) == ASKED
        assert asked.changed == {"logprobs": 1}

    def test_nobody_has_the_same_answer_drawn_twice_where_that_is_denied(self) -> None:
        fixed = {**ASKED, "seed": 1, "k": 1, "p": 0.01, "temperature": 0}
        asked = CHAT.read(orjson.dumps(fixed), {}, Terms(KINDS, repeatable=False))
        assert orjson.loads(asked.body) == {**ASKED, "temperature": 0.3}
        assert asked.changed == {"seed": 1, "k": 1, "p": 1, "temperature": 1}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("messages", None),
            ("messages", "Hi"),
            ("stream", "yes"),
            ("model", ""),
            ("raw_prompting", True),
            ("return_prompt", True),
            ("priority", 0),
            ("kv_transfer_params", {}),
        ],
    )
    def test_what_is_no_chat_or_not_known_is_refused(self, name: str, value: Any) -> None:
        assert name in refusing(CHAT, {**ASKED, name: value})


class TestDocument:
    DOCUMENT = body("cohere_chat/answer.json")

    def test_untouched_it_loses_only_what_sources_hold(self) -> None:
        served = left(CHAT.answer(), self.DOCUMENT, OPEN)
        before = orjson.loads(self.DOCUMENT)
        for source in before["message"]["citations"][0]["sources"]:
            source.pop("document", source.pop("tool_output", None))
        assert served == before

    def test_a_thought_that_does_not_pass_leaves_its_place_empty(self) -> None:
        served = left(CHAT.answer(), self.DOCUMENT, SILENT)["message"]["content"]
        assert served == [{"type": "thinking", "thinking": ""}, {"type": "text", "text": "4."}]
        planned = left(CHAT.answer(), body("cohere_chat/answer_tool_calls.json"), SILENT)
        assert planned["message"].keys() == {"role", "tool_calls"}

    def test_each_token_is_served_at_the_tier(self) -> None:
        edits = OPEN | tier({"logprobs": [Round(digits=1)]})
        assert left(CHAT.answer(), self.DOCUMENT, edits)["logprobs"] == [
            {"text": "4", "token_ids": [28], "logprobs": [0.0]},
            {"text": ".", "token_ids": [21, 7], "logprobs": [-0.2231, -1.6094]},
        ]
        assert left(CHAT.answer(), self.DOCUMENT, {"text": None})["logprobs"] is None
        dropped = OPEN | tier({"logprobs": [Drop()]})
        assert left(CHAT.answer(), self.DOCUMENT, dropped)["logprobs"] == []

    def test_what_passes_untouched_is_the_same_object(self) -> None:
        assert left(CHAT.answer(), b'{"logprobs":[{"token_ids":[1]}]}', OPEN)["logprobs"]

    @pytest.mark.parametrize(
        "wrong",
        [
            7,
            [],
            {},
            {"logprobs": [-1]},
            {"token_ids": [1], "logprobs": [-1, -2]},
            {"token_ids": [1.5], "logprobs": [-1]},
            {"token_ids": [1], "logprobs": ["-1"]},
            {"token_ids": [1], "logprobs": {"1": -1}},
            {"token_ids": [1], "logprobs": [-1], "text": {"a": 1}},
        ],
    )
    def test_what_is_no_token_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            left(CHAT.answer(), orjson.dumps({"logprobs": [wrong]}), OPEN)

    @pytest.mark.parametrize("wrong", [7, {"a": 1}, ["a"], True])
    def test_a_thought_is_a_string(self, wrong: Any) -> None:
        document = orjson.dumps({"message": {"content": [{"type": "thinking", "thinking": wrong}]}})
        for edits in (OPEN, SILENT):
            with pytest.raises(UpstreamError):
                left(CHAT.answer(), document, edits)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            return Score(0.5)

        value = orjson.loads(self.DOCUMENT)
        with pytest.raises(TypeError, match="Score"):
            CHAT.answer().rewrite(value, Rewrite({"logprobs": confused}, MODEL), "")


class TestStream:
    def test_untouched_it_passes_byte_for_byte(self) -> None:
        stream = STREAM + b"data: [DONE]\n\n"
        assert _streamed([stream], OPEN) == stream
        assert [document for _, document in streamed(stream, OPEN)] == EVENTS

    def test_every_event_has_the_name_of_its_type(self) -> None:
        for edits in (OPEN, SILENT, {}):
            events = streamed(STREAM, edits)
            assert [name for name, _ in events] == [f"event: {e['type']}" for _, e in events]

    def test_no_event_tells_how_much_was_thought(self) -> None:
        def thinking(times: int) -> bytes:
            # The first event of a thought is the sixth, the plan is the second.
            events = [*EVENTS[:1], *EVENTS[1:2] * times, *EVENTS[2:6], *EVENTS[6:7] * times]
            return b"".join(
                b"event: %s\ndata: %s\n\n" % (e["type"].encode(), orjson.dumps(e))
                for e in (*events, *EVENTS[7:])
            )

        assert streamed(thinking(1), SILENT) == streamed(thinking(9), SILENT)
        left_over = [event for _, event in streamed(thinking(1), SILENT)]
        assert not any("2 and 2" in str(event) or "I will" in str(event) for event in left_over)
        indices = [event["index"] for event in left_over if event["type"] == "content-start"]
        assert indices == [0, 1]

    def test_a_debug_event_needs_leave_too_and_holds_nothing(self) -> None:
        debug = b'event: debug\ndata: {"type":"debug","prompt":"s3cret"}\n\n'
        assert streamed(debug, SILENT) == []
        assert streamed(debug, OPEN) == [("event: debug", {"type": "debug"})]

    def test_logprobs_of_a_piece_are_served_at_the_tier(self) -> None:
        def of(edits: Edits) -> Any:
            return [e["logprobs"] for _, e in streamed(STREAM, edits) if "logprobs" in e]

        assert of(SILENT | tier({"logprobs": [Round(digits=1)]})) == [
            {"text": "4", "token_ids": [28], "logprobs": [0.0]}
        ]
        assert of({"text": None}) == []

    def test_an_event_without_a_type_or_with_an_error_ends_the_stream(self) -> None:
        for wrong in (b'{"index":0}', b"[]", b'{"type":"message-end","delta":{"error":"gpu"}}'):
            with pytest.raises(UpstreamError):
                _streamed([b"data: " + wrong + b"\n\n"], OPEN)

    def test_who_may_see_text_alone_sees_the_text_and_the_calls(self) -> None:
        served = Swept.read("cohere_chat_stream").served()
        assert b'"text":"4"' in served
        assert b"arguments" in served
        assert served.endswith(b"data: [DONE]\n\n")


def test_who_may_see_text_alone_sees_no_thought_and_no_count() -> None:
    served = orjson.loads(Swept.read("cohere_chat_document").served())
    assert served.keys() == {"id", "finish_reason", "message", "logprobs"}
    assert served["message"]["content"][1] == {"type": "text", "text": "4."}
    assert served["message"]["citations"][0]["sources"] == [
        {"type": "document", "id": "1"},
        {"type": "tool", "id": "2"},
    ]


def test_an_error_has_coheres_shape() -> None:
    for refusal in (UNKNOWN_MODEL, UPSTREAM_UNREADABLE):
        assert orjson.loads(CHAT.error(refusal)) == {"message": refusal.message}
