"""Token counts that only we asked for: asked for, read, and not shown."""

from typing import Any

import orjson
import pytest

from extproc.dialects import OpenAIChat, OpenAICompletions, OpenAITranscriptions, TritonGenerate
from extproc.dialects.answers import Answer, Events
from extproc.dialects.gate import Terms
from extproc.dialects.multipart import Part, write_form
from extproc.dialects.openai_chat import Chunk
from extproc.dialects.request import Asked
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError
from extproc.prediction import KINDS, Usage
from extproc.rewriter import body_rewriter
from tests.dialects.tiers import MODEL, OPEN, Edits

SSE = "text/event-stream"
TERMS = Terms(KINDS)
COUNTS = {"prompt_tokens": 17, "completion_tokens": 2, "total_tokens": 19}
ON, OFF = OpenAIChat(count_usage=True), OpenAIChat()
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "stream": True}
LOW: Edits = {"text": None}
"""A tier that grants no token counts."""


def chunk(*choices: Any, written: Any = orjson.dumps, **more: Any) -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    document: bytes = written({**head, "choices": list(choices), **more})
    return b"data: " + document + b"\n\n"


def told(text: str) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}


def loosely(document: Any) -> bytes:
    """As Go and Python write: spaces, escapes, digits that orjson would not."""
    spaced = orjson.dumps(document, option=orjson.OPT_INDENT_2).replace(b"\n", b"")
    return spaced.replace(b"<", b"\\u003c").replace(b'"created": 1', b'"created": 1.0')


def stream(*, counted: bool, written: Any = orjson.dumps) -> bytes:
    """The same answer as a server gives it that was asked for counts, and that was not."""
    null = {"usage": None} if counted else {}
    events = [
        chunk(told("<a>"), written=written, **null),
        chunk(told("b"), written=written, **null, obfuscation="xxxx"),
        chunk({**told(""), "delta": {}, "finish_reason": "stop"}, written=written, **null),
    ]
    last = [chunk(written=written, usage=COUNTS)] if counted else []
    return b"".join([*events, *last, b"data: [DONE]\n\n"])


def asked(dialect: Any, terms: Terms = TERMS, **fields: Any) -> Asked:
    found: Asked = dialect.read(orjson.dumps({**CHAT, **fields}), {}, terms)
    return found


def left(
    answer: Answer, body: bytes, unasked: frozenset[str], edits: Edits = OPEN, size: int = 0
) -> tuple[bytes, Usage]:
    """What the client gets, and what was counted."""
    run = Rewrite(edits, MODEL, unasked=unasked)
    rewriter = body_rewriter(answer, {}, run, 1 << 20)
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    out = [part for piece in pieces for part in rewriter.feed(piece) if part]
    return b"".join([*out, *filter(None, rewriter.finish())]), run.told.usage


# What is asked for.


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_the_counts_of_a_stream_are_asked_for(options: Any) -> None:
    more = {} if options is None else {"stream_options": options}
    sent = asked(ON, **more)
    assert orjson.loads(sent.body)["stream_options"] == {"include_usage": True}
    assert sent.changed == {"stream_options.include_usage": 1}
    assert sent.unasked == {"usage"}


def test_who_asks_for_counts_is_shown_them() -> None:
    body = orjson.dumps({**CHAT, "stream_options": {"include_usage": True}})
    sent = ON.read(body, {}, TERMS)
    assert (sent.body, sent.changed, sent.unasked) == (body, {}, frozenset())


def test_a_document_tells_its_counts_unasked() -> None:
    sent = asked(ON, stream=False)
    assert (sent.changed, sent.unasked) == ({}, frozenset())


def test_without_the_setting_nothing_is_asked_for() -> None:
    assert asked(OFF).unasked == frozenset()
    assert b"stream_options" not in asked(OFF).body


def test_the_padding_of_events_stays_forced() -> None:
    sent = asked(ON, stream_options={"include_obfuscation": False})
    options = {"include_obfuscation": True, "include_usage": True}
    assert orjson.loads(sent.body)["stream_options"] == options
    assert set(sent.changed) == {
        "stream_options.include_obfuscation",
        "stream_options.include_usage",
    }


@pytest.mark.parametrize(
    "options", [{"continuous_usage_stats": True}, {"include_usage": 1}, {"include_usage": "true"}]
)
@pytest.mark.parametrize("dialect", [ON, OFF])
def test_no_other_way_to_ask_goes_on(dialect: OpenAIChat, options: Any) -> None:
    """Counts in every event would tell the tokens in it; and 1 is true to some servers alone."""
    with pytest.raises(ClientError):
        asked(dialect, stream_options=options)


# What is shown.


@pytest.mark.parametrize("size", [0, 1, 13])
@pytest.mark.parametrize("edits", [OPEN, LOW])
@pytest.mark.parametrize("written", [orjson.dumps, loosely])
def test_the_client_gets_byte_for_byte_what_it_would_have_had(
    written: Any, edits: Edits, size: int
) -> None:
    plain, nothing = left(OFF.answers()[SSE], stream(counted=False, written=written), frozenset())
    out, usage = left(
        ON.answers()[SSE], stream(counted=True, written=written), frozenset({"usage"}), edits, size
    )
    assert out == plain == stream(counted=False, written=written)
    assert usage == Usage(17, 2)
    assert nothing == Usage()


@pytest.mark.parametrize("dialect", [ON, OFF])
def test_who_asked_gets_all_of_it(dialect: OpenAIChat) -> None:
    body = stream(counted=True)
    assert left(dialect.answers()[SSE], body, frozenset()) == (body, Usage(17, 2))


@pytest.mark.parametrize("dialect", [ON, OFF])
def test_who_asked_and_may_not_have_it_gets_the_event_without(dialect: OpenAIChat) -> None:
    out, usage = left(dialect.answers()[SSE], stream(counted=True), frozenset(), LOW)
    assert out == stream(counted=True).replace(b',"usage":' + orjson.dumps(COUNTS), b"")
    assert usage == Usage(17, 2)


def test_an_event_that_holds_more_than_counts_stays() -> None:
    body = chunk(told("a"), usage=COUNTS) + chunk(prompt_filter_results=[], usage=None)
    out, usage = left(ON.answers()[SSE], body, frozenset({"usage"}))
    assert out == chunk(told("a")) + chunk()
    assert usage == Usage(17, 2)


def test_an_event_that_is_no_object_is_left_to_the_tree() -> None:
    assert left(ON.answers()[SSE], b"data: null\n\n", frozenset({"usage"}))[0] == b"data: null\n\n"


def test_a_document_keeps_its_counts_though_a_stream_was_asked_for() -> None:
    body = orjson.dumps({"choices": [], "usage": COUNTS})
    answer = ON.answers()["application/json"]
    assert left(answer, body, frozenset({"usage"})) == (body, Usage(17, 2))


def test_a_route_that_asks_for_nothing_has_the_tree_it_had() -> None:
    events = OFF.answers()[SSE]
    assert isinstance(events, Events)
    assert isinstance(events.node, Chunk)
    assert events.counts == ""


# Other APIs.


def test_completions_do_the_same() -> None:
    dialect = OpenAICompletions(count_usage=True)
    request = {"model": MODEL, "prompt": "hi", "stream": True}
    sent = dialect.read(orjson.dumps(request), {}, TERMS)
    assert orjson.loads(sent.body)["stream_options"] == {"include_usage": True}
    assert OpenAICompletions().read(orjson.dumps(request), {}, TERMS).unasked == frozenset()
    choice = {"index": 0, "text": "a", "logprobs": None, "finish_reason": None}
    body = chunk(choice, usage=None) + chunk(usage=COUNTS) + b"data: [DONE]\n\n"
    plain = chunk(choice) + b"data: [DONE]\n\n"
    assert left(dialect.answers()[SSE], body, sent.unasked) == (plain, Usage(17, 2))
    assert left(dialect.answers()[SSE], body, frozenset())[0] == body


def form(**fields: str) -> tuple[bytes, dict[str, str]]:
    parts = [Part(name, value.encode()) for name, value in fields.items()]
    audio = Part("file", b"RIFF", "a.wav")
    body, content_type = write_form([*parts, audio], b"")
    return body, {"content-type": content_type}


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"stream": "true"}, True),
        ({"stream": "true", "stream_include_usage": "false"}, True),
        ({"stream": "true", "stream_include_usage": "true"}, False),
        ({"stream": "false"}, False),
        ({}, False),
    ],
)
def test_transcriptions_ask_in_their_form(fields: dict[str, str], counted: bool) -> None:
    dialect = OpenAITranscriptions(count_usage=True)
    sent = dialect.read(*form(model=MODEL, **fields), TERMS)
    asks = b'name="stream_include_usage"\r\n\r\ntrue' in sent.body
    assert asks is (counted or "stream_include_usage" in fields)
    assert (sent.unasked == {"usage"}) is counted
    assert sent.changed.get("stream_include_usage", 0) == int(counted)
    assert not OpenAITranscriptions().read(*form(model=MODEL, **fields), TERMS).unasked


def test_the_counts_of_a_transcription_are_not_shown_to_who_did_not_ask() -> None:
    answer = OpenAITranscriptions(count_usage=True).answers()[SSE]
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
    out, usage = left(answer, chunk(choice) + chunk(usage=COUNTS), frozenset({"usage"}))
    assert (out, usage) == (chunk(choice), Usage(17, 2))


NAMES = ("return_num_input_tokens", "return_num_output_tokens")


@pytest.mark.parametrize(
    ("fields", "hidden"),
    [
        ({}, {"num_input_tokens", "num_output_tokens"}),
        ({"return_num_input_tokens": True}, {"num_output_tokens"}),
        ({"parameters": {"return_num_output_tokens": True}}, {"num_input_tokens"}),
        (dict.fromkeys(NAMES, True), set()),
    ],
)
def test_triton_is_asked_for_both_counts(fields: dict[str, Any], hidden: set[str]) -> None:
    dialect = TritonGenerate(count_usage=True)
    sent = dialect.read(orjson.dumps({"text_input": "hi", **fields}), {}, TERMS)
    went = orjson.loads(sent.body)
    parameters = went.get("parameters", {})
    assert all(went.get(name) or parameters.get(name) for name in NAMES)
    assert sent.unasked == hidden
    assert set(sent.changed) == {f"return_{name}" for name in hidden}
    plain = TritonGenerate().read(orjson.dumps({"text_input": "hi", **fields}), {}, TERMS)
    assert plain.unasked == frozenset()


def test_triton_counts_each_event_of_a_stream_for_itself() -> None:
    dialect = TritonGenerate(count_usage=True)
    events = [
        {"model_name": MODEL, "text_output": text, "num_input_tokens": 4, "num_output_tokens": 3}
        for text in ("a", "b")
    ]
    body = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events)
    hidden = frozenset({"num_input_tokens", "num_output_tokens"})
    out, usage = left(dialect.answers()[SSE], body, hidden)
    assert out == body.replace(b',"num_input_tokens":4,"num_output_tokens":3', b"")
    assert usage == Usage(4, 6)
    document = orjson.dumps(events[0])
    out, usage = left(dialect.answers()["application/json"], document, hidden)
    assert orjson.loads(out) == {"model_name": MODEL, "text_output": "a"}
    assert usage == Usage(4, 3)
