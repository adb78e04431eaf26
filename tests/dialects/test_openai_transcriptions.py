"""Transcriptions: a form of known fields in, text and its scores out."""

from typing import Any

import httpx2
import openai
import orjson
import pytest

from extproc.dialects import OpenAITranscriptions
from extproc.dialects.gate import Terms
from extproc.dialects.multipart import Part, read_form, write_form
from extproc.dialects.openai_request import COLDEST
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Round
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import OPEN, is_untouched, released, served, tier

SPEECH = OpenAITranscriptions()
ANSWER = SPEECH.answer()
FILE = Part("file", b"RIFF\x00\r\n--x\r\n", "a.wav", "audio/x-wav")
MODEL = Part("model", b"whisper-1")
WITHOUT: Terms = Terms([kind for kind in KINDS if kind != "logprobs"])


def read(*parts: Part, terms: Terms = WITHOUT, **settings: Any) -> tuple[list[Part], Any]:
    """What goes on, and what was asked."""
    form, content_type = write_form(parts, b"test")
    asked = OpenAITranscriptions(**settings).read(form, {"content-type": content_type}, terms)
    return read_form(asked.body, asked.set_headers["content-type"]), asked


class TestRequest:
    def test_the_stock_clients_form_goes_on_as_it_was_understood(self) -> None:
        sent: list[Part] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            fields = {"content-type": request.headers["content-type"]}
            asked = SPEECH.read(request.read(), fields, WITHOUT)
            assert asked.query == Query("whisper-1", inputs=1, stream=True)
            assert asked.inputs == (FILE.content,)
            assert asked.changed == {"include[]": 1}
            sent.extend(read_form(asked.body, asked.set_headers["content-type"]))
            return httpx2.Response(200, json={"text": "hi"})

        client = openai.OpenAI(
            api_key="none",
            base_url="http://model.test/v1",
            http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
        )
        client.audio.transcriptions.create(
            file=("a.wav", FILE.content),
            model="whisper-1",
            include=["logprobs"],
            timestamp_granularities=["word", "segment"],
            temperature=0.2,
            chunking_strategy={"type": "server_vad", "threshold": 0.5},
            response_format="json",
            stream=True,
        )
        assert {(part.name, part.content) for part in sent} == {
            ("file", FILE.content),
            ("model", b"whisper-1"),
            ("timestamp_granularities[]", b"word"),
            ("timestamp_granularities[]", b"segment"),
            ("temperature", b"0.2"),
            ("chunking_strategy[type]", b"server_vad"),
            ("chunking_strategy[threshold]", b"0.5"),
            ("response_format", b"json"),
            ("stream", b"true"),
        }

    def test_logprobs_are_asked_for_where_they_are_granted(self) -> None:
        for name in ("include", "include[]"):
            sent, _ = read(MODEL, FILE, Part(name, b"logprobs"), terms=Terms(KINDS))
            assert Part("include[]", b"logprobs") in sent

    def test_a_tenant_that_may_not_repeat_is_given_a_temperature(self) -> None:
        varied = Terms((), repeatable=False)
        for cold in ((), (Part("temperature", b"0"),), (Part("temperature", b"0.1"),)):
            sent, asked = read(MODEL, FILE, Part("seed", b"7"), *cold, terms=varied)
            assert Part("temperature", str(COLDEST).encode()) in sent
            assert asked.changed == {"seed": 1, "temperature": 1}
        sent, _ = read(MODEL, FILE, Part("temperature", b"0"))
        assert Part("temperature", b"0") in sent

    @pytest.mark.parametrize(
        ("parts", "words"),
        [
            ((MODEL,), "'file'"),
            ((MODEL, FILE, FILE), "'file'"),
            ((MODEL, Part("file", b"x")), "'file'"),
            ((FILE,), "'model'"),
            ((FILE, Part("model", b"")), "'model'"),
            ((MODEL, MODEL, FILE), "repeats"),
            ((MODEL, FILE, Part("prompt", b"x", "a.txt")), "'prompt' must not be a file"),
            ((MODEL, FILE, Part("prompt", b"\xff")), "UTF-8"),
            ((MODEL, FILE, Part("prompt[]", b"x")), "'prompt' is not an array"),
            ((MODEL, FILE, Part("response_format", b"srt")), "'response_format'"),
            ((MODEL, FILE, Part("stream", b"1")), "'stream'"),
            ((MODEL, FILE, Part("temperature", b"nan")), "'temperature'"),
            ((MODEL, FILE, Part("temperature", b"1_0")), "'temperature'"),
            ((MODEL, FILE, Part("temperature", b"-1")), "'temperature'"),
            ((MODEL, FILE, Part("temperature", "٣".encode())), "'temperature'"),
            ((MODEL, FILE, Part("include", b"hidden_states")), "include"),
            ((MODEL, FILE, Part("timestamp_granularities[]", b"token")), "timestamp_gran"),
            ((MODEL, FILE, Part("vllm_xargs", b"{}")), "Unrecognized"),
            ((MODEL, FILE, Part("Include[]", b"logprobs")), "Unrecognized|not an array"),
        ],
    )
    def test_a_wrong_value_is_refused_by_the_fields_name(
        self, parts: tuple[Part, ...], words: str
    ) -> None:
        with pytest.raises(ClientError, match=words):
            read(*parts, terms=Terms(KINDS))

    def test_further_fields_follow_the_policy(self) -> None:
        extra = Part("top_k", b"5")
        assert extra not in read(MODEL, FILE, extra, unknown="strip")[0]
        assert extra in read(MODEL, FILE, extra, allow_request=("top_k",))[0]

    def test_what_is_no_form_is_refused(self) -> None:
        with pytest.raises(ClientError, match="boundary"):
            SPEECH.read(b"{}", {}, Terms(KINDS))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("openai_transcriptions")[:3])
    @pytest.mark.parametrize("granted", [("text",), ("text", "label", "logprobs"), KINDS])
    def test_no_secret_passes_and_the_stock_client_reads_the_rest(
        self, document: bytes, granted: tuple[Kind, ...]
    ) -> None:
        shown = released(SPEECH.answers()["application/json"], document, dict.fromkeys(granted))
        assert b"s3cret" not in shown
        client = client_of(shown)
        read = client.audio.transcriptions.create(file=("a.wav", b""), model="m")
        assert read.text == "Hello there."
        told = orjson.loads(shown)
        assert ("logprobs" in told) is ("logprobs" in granted and b"logprobs" in document)
        assert (b"avg_logprob" in shown) is ("score" in granted and b"avg_logprob" in document)

    @pytest.mark.parametrize("granted", [("text",), ("text", "logprobs"), KINDS])
    def test_the_stock_client_reads_streams(self, granted: tuple[Kind, ...]) -> None:
        lines = body("openai_transcriptions/stream.jsonl").splitlines()
        events = b"".join(b"data: " + line + b"\n\n" for line in [*lines, b"[DONE]"])
        spoken = SPEECH.answers()["text/event-stream"]
        shown = released(spoken, events, dict.fromkeys(granted))
        assert shown == released(spoken, events, dict.fromkeys(granted), size=13)
        assert b"s3cret" not in shown
        client = client_of(shown, "text/event-stream")
        read = list(client.audio.transcriptions.create(file=("a.wav", b""), model="m", stream=True))
        assert [event.type.rpartition(".")[2] for event in read] == [
            "delta",
            "delta",
            "segment",
            "done",
        ]
        assert (b"logprob" in shown) is ("logprobs" in granted)
        assert (b"input_tokens" in shown) is ("usage" in granted)

    def test_chunks_of_vllm_are_read(self) -> None:
        lines = body("openai_transcriptions/stream_vllm.jsonl").splitlines()
        events = b"".join(b"data: " + line + b"\n\n" for line in lines)
        shown = released(SPEECH.answers()["text/event-stream"], events, {"text": None})
        assert b"s3cret" not in shown
        told = [orjson.loads(event.removeprefix(b"data: ")) for event in shown.split(b"\n\n")[:2]]
        assert [chunk["choices"][0]["delta"]["content"] for chunk in told] == ["Hello", " there."]

    def test_scores_of_segments_are_rounded_and_token_ids_go(self) -> None:
        edits = tier({"score": [Round(digits=1)], "text": []})
        shown, dropped = served(ANSWER, body("openai_transcriptions/answer_verbose.json"), edits)
        (segment,) = shown["segments"]
        assert (segment["avg_logprob"], segment["no_speech_prob"]) == (-0.3, 0.0)
        assert "tokens" not in segment
        assert dropped["segments[].*"] == 2

    @pytest.mark.parametrize("document", answers("openai_transcriptions"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)

    def test_an_answer_that_reports_an_error_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error":{"message":"gpu-07"}}', OPEN)


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(SPEECH.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("stream", [b"true", b"false"])
def test_streams_are_asked_for_their_counts_where_the_route_says_so(stream: bytes) -> None:
    counting = OpenAITranscriptions(count_usage=True)
    body, content_type = write_form([MODEL, Part("stream", stream), FILE], b"")
    asked = counting.read(body, {"content-type": content_type}, Terms(()))
    assert asked.unasked == ({"usage"} if stream == b"true" else frozenset())
    assert (b"stream_include_usage" in asked.body) is (stream == b"true")
    assert {*counting.answers()} == {*SPEECH.answers()}


def test_a_check_sees_the_fields_of_the_form() -> None:
    seen: list[dict[str, Any]] = []
    read(FILE, MODEL, Part("include[]", b"logprobs"), terms=Terms((), check=seen.append))
    assert seen == [{"model": "whisper-1", "include": ["logprobs"]}]
