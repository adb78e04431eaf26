"""Ollama's chat: what of a message passes, and that Ollama's own client reads it."""

from typing import Any

import httpx
import ollama
import orjson
import pytest

from extproc.dialects import OllamaChat
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Round, TopK
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import UPSTREAM_UNREADABLE
from tests.corpus import answers, body
from tests.dialects.replay import played, singly, walked
from tests.dialects.tiers import MODEL, OPEN, Edits, is_untouched, served, tier

CHAT = OllamaChat()
ANSWER = CHAT.answer()
ASKED: dict[str, Any] = {"model": "qwen", "messages": [{"role": "user", "content": "hi"}]}
TEXT: Edits = {"text": None, "label": None}
JSON, LINES = "application/json", "application/x-ndjson"
STREAM = body("ollama_chat/stream.jsonl")
LOWERED = tier({"text": (), "logprobs": [TopK(k=1), Round(digits=2)]})


class TestRequest:
    def test_a_request_of_known_fields_goes_on_but_for_its_keep_alive(self) -> None:
        original = orjson.loads(body("ollama_chat/request.json"))
        asked = CHAT.read(orjson.dumps(original), {}, Terms(KINDS))
        assert asked.query == Query("qwen3:0.6b", inputs=1, stream=True)
        del original["keep_alive"]
        assert orjson.loads(asked.body) == original
        assert asked.inputs == (original["messages"],)

    def test_without_it_a_request_goes_on_byte_for_byte(self) -> None:
        original = orjson.dumps(ASKED | {"stream": False})
        asked = CHAT.read(original, {}, Terms(()))
        assert asked.body is original
        assert not asked.query.stream

    @pytest.mark.parametrize("messages", [None, "hi", {}])
    def test_messages_are_required(self, messages: Any) -> None:
        with pytest.raises(ClientError, match="'messages'"):
            CHAT.read(orjson.dumps(ASKED | {"messages": messages}), {}, Terms(()))

    @pytest.mark.parametrize("unknown", ["raw", "template", "context", "prompt", "Think", "x"])
    def test_an_unknown_argument_is_refused(self, unknown: str) -> None:
        with pytest.raises(ClientError, match="Unrecognized request argument"):
            CHAT.read(orjson.dumps(ASKED | {unknown: True}), {}, Terms(KINDS))


class TestAnswer:
    def test_everything_known_passes_where_everything_is_granted(self) -> None:
        left, dropped = served(ANSWER, body("ollama_chat/answer.json"), OPEN)
        assert dropped == {"*": 1}
        assert is_untouched(ANSWER, orjson.dumps(left), OPEN)

    def test_nothing_but_text_passes_where_that_is_granted(self) -> None:
        left, _ = served(ANSWER, body("ollama_chat/answer.json"), TEXT)
        assert left == {
            "model": MODEL,
            "message": {
                "role": "assistant",
                "content": "12231",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {
                            "index": 0,
                            "name": "calc",
                            "arguments": {"a": 27, "b": [453]},
                        },
                    }
                ],
            },
            "done": True,
            "done_reason": "stop",
        }
        bare, _ = served(ANSWER, body("ollama_chat/answer.json"), {})
        assert bare["message"] == {"role": "assistant"}

    def test_images_are_text(self) -> None:
        document = b'{"message":{"role":"assistant","images":["s3cret"]}}'
        assert is_untouched(ANSWER, document, TEXT)
        assert served(ANSWER, document, {})[0] == {"message": {"role": "assistant"}}

    def test_logprobs_pass_as_the_tier_makes_them(self) -> None:
        left, _ = served(ANSWER, body("ollama_chat/answer.json"), LOWERED)
        first, second = left["logprobs"]
        assert [other["token"] for other in first["top_logprobs"]] == ["12"]
        assert first["logprob"] == first["top_logprobs"][0]["logprob"] == -0.2485
        assert second == {"token": "231", "logprob": 0.0, "bytes": [50, 51, 49]}

    @pytest.mark.parametrize("document", answers("ollama_chat"))
    @pytest.mark.parametrize("edits", [OPEN, TEXT, {}, LOWERED])
    def test_large_documents_are_rewritten_like_small_ones(
        self, document: bytes, edits: Edits
    ) -> None:
        left, _ = served(ANSWER, document, edits)
        assert orjson.loads(walked(ANSWER, document, edits)) == left

    @pytest.mark.parametrize("edits", [OPEN, TEXT, {}, LOWERED])
    def test_lines_hold_the_same_documents_however_they_were_cut(self, edits: Edits) -> None:
        left = [served(ANSWER, each, edits)[0] for each in STREAM.splitlines()]
        for pieces in ([STREAM], singly(STREAM), [STREAM[:-1]]):
            out = played(CHAT.answers(), LINES, pieces, edits)
            assert [orjson.loads(each) for each in out.splitlines()] == left
        assert (played(CHAT.answers(), LINES, [STREAM], edits) == STREAM) is (edits is OPEN)

    def test_an_error_in_a_line_ends_the_stream(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            played(CHAT.answers(), LINES, [STREAM, b'{"error":"s3cret"}\n'], OPEN)

    def test_a_policy_adds_fields_by_their_path(self) -> None:
        allowed = OllamaChat(allow_response=("remote_host", "message.x")).answer()
        document = b'{"message":{"role":"a","x":[1]},"remote_host":"h"}'
        assert is_untouched(allowed, document, {})


def client(content_type: str, content: bytes) -> ollama.Client:
    """Ollama's own client, which gets this answer to whatever it asks."""

    def answered(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": content_type}, content=content)

    return ollama.Client(host="http://localhost", transport=httpx.MockTransport(answered))


TIERS = pytest.mark.parametrize(
    "granted", [("text",), ("text", "usage"), ("text", "logprobs"), KINDS]
)


class TestClient:
    @TIERS
    def test_it_reads_documents(self, granted: tuple[Kind, ...]) -> None:
        edits: Edits = dict.fromkeys(granted)
        out = played(CHAT.answers(), JSON, [body("ollama_chat/answer.json")], edits)
        read = client(JSON, out).chat(MODEL)
        assert read.message.content == "12231"
        assert read.eval_count == (2 if "usage" in granted else None)
        assert read.total_duration == (4731337 if "timing" in granted else None)
        assert (read.logprobs is not None) is ("logprobs" in granted)

    @TIERS
    def test_it_reads_streams(self, granted: tuple[Kind, ...]) -> None:
        out = played(CHAT.answers(), LINES, [STREAM], dict.fromkeys(granted))
        parts = [*client(LINES, out).chat(MODEL, stream=True)]
        assert [part.message.content for part in parts] == ["", "12", "", ""]
        assert [part.done for part in parts] == [False, False, False, True]

    def test_it_reports_a_stream_that_was_cut(self) -> None:
        whole = played(CHAT.answers(), LINES, [STREAM], TEXT)
        last = CHAT.error(UPSTREAM_UNREADABLE) + b"\n"
        with pytest.raises(ollama.ResponseError, match="cannot be released"):
            [*client(LINES, whole + last).chat(MODEL, stream=True)]
