"""Words behind texts: where they stand, in documents and in streams, and where they must not."""

from typing import Any

import orjson
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from extproc.dialects import OpenAIChat, OpenAICompletions
from extproc.dialects.answers import Document, Events
from extproc.dialects.ended import is_prose
from extproc.dialects.gate import Terms
from extproc.dialects.shape import ABSENT, Json, Rewrite
from extproc.dialects.told import Told
from extproc.marks.ending import Ending
from extproc.marks.marking import Finding, Marking, Planted
from extproc.prediction import Kind
from extproc.rewriter.document import WHOLE, DocumentRewriter

WORDS = "\n\n(Reference: babab-babab-babab)"
FINDING = Finding("canary", "cell", b"[]", "", "babab-babab-babab")
PROSE = "It is a long answer, and it ends as sentences do, so that nobody takes it for data."
CHAT, COMPLETIONS = OpenAIChat(count_usage=True), OpenAICompletions()
KINDS: dict[Kind, None] = {"text": None, "usage": None}


def run(*, planted: bool = True) -> Rewrite:
    marking = Marking({}, frozenset(), single=True)
    marking.planted = Planted(Ending(WORDS), FINDING) if planted else None
    return Rewrite(KINDS, "gpt", told=Told(marking=marking))


def found(made: Rewrite) -> list[Finding]:
    assert made.told.marking is not None
    return made.told.marking.findings


def choice(text: str | None = PROSE, reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **more}
    return {"index": 0, "message": message, "finish_reason": reason}


def document(*choices: Json) -> dict[str, Any]:
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt"}
    return {**head, "choices": list(choices)}


def chunk(text: str | None = None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    one = {"index": 0, "delta": {**delta, **more}, "finish_reason": reason}
    return {**document(one), "object": "chat.completion.chunk"}


def rewritten(dialect: OpenAIChat | OpenAICompletions, value: Json, made: Rewrite) -> Json:
    answer = dialect.ended()["application/json"]
    assert isinstance(answer, Document)
    return answer.node.rewrite(value, made, "")


def streamed(*events: Json, made: Rewrite | None = None) -> list[Json]:
    answer = CHAT.ended()["text/event-stream"]
    assert isinstance(answer, Events)
    made = made or run()
    after = [answer.node.rewrite(event, made, "") for event in events]
    return [event for event in after if event is not ABSENT]


def text_of(events: list[Json]) -> str:
    chunks = [ChatCompletionChunk.model_validate(event) for event in events]
    return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)


@pytest.mark.parametrize("last", [{}, {"delta": None}])
def test_where_a_choice_holds_no_text_nothing_stands(last: dict[str, Any]) -> None:
    """Planted: in a stream whose last choice has no delta, a member that no API has told of it."""
    made = run()
    ending = {**chunk(), "choices": [{"index": 0, "finish_reason": "stop", **last}]}
    assert streamed(chunk(PROSE), ending, made=made)[1] == ending
    assert found(made) == []


def test_words_stand_behind_the_text_of_a_document() -> None:
    made = run()
    after = ChatCompletion.model_validate(rewritten(CHAT, document(choice()), made))
    assert after.choices[0].message.content == PROSE + WORDS
    assert found(made) == [FINDING]


def test_words_stand_behind_the_text_of_a_completion() -> None:
    one = {"index": 0, "text": PROSE, "logprobs": None, "finish_reason": "stop"}
    value = {**document(one), "object": "text_completion"}
    after = Completion.model_validate(rewritten(COMPLETIONS, value, run()))
    assert after.choices[0].text == PROSE + WORDS


@pytest.mark.parametrize(
    "value",
    [
        document(choice(reason="length")),
        document(choice(reason=None)),
        document(choice(text="yes.")),
        document(choice(text=None)),
        document(choice(text=f'{{"answer": "{PROSE}"}}')),
        document(choice(refusal="No.")),
        document(choice(tool_calls=[{"id": "t", "type": "function"}])),
        document(choice(function_call={"name": "f", "arguments": "{}"})),
        document({**choice(), "index": 1}),
        document({"index": 0, "finish_reason": "stop"}),
        document(None),
        document(),
    ],
)
def test_nothing_stands_behind_what_a_program_may_read(value: Json) -> None:
    """Planted: looking at no reason, no form and no other member breaks whoever reads JSON."""
    made = run()
    assert rewritten(CHAT, value, made) == value
    assert found(made) == []


def test_of_several_choices_the_first_alone_has_them() -> None:
    made = run()
    after = rewritten(CHAT, document(choice(), {**choice(), "index": 1}), made)
    texts = [each["message"]["content"] for each in after["choices"]]
    assert texts == [PROSE + WORDS, PROSE]
    assert found(made) == [FINDING]


def test_an_answer_that_has_none_is_what_it_was() -> None:
    value = document(choice())
    assert rewritten(CHAT, value, run(planted=False)) is value
    assert rewritten(CHAT, value, Rewrite(KINDS, "gpt")) is value


@pytest.mark.parametrize("size", [1, 9, 1000])
def test_a_stream_ends_with_them_however_it_comes(size: int) -> None:
    pieces = [PROSE[at : at + size] for at in range(0, len(PROSE), size)]
    opening, made = chunk("", role="assistant"), run()
    after = streamed(opening, *map(chunk, pieces), chunk(reason="stop"), made=made)
    assert text_of(after) == PROSE + WORDS
    assert len(after) == len(pieces) + 2
    assert after[-1]["choices"][0]["finish_reason"] == "stop"
    assert found(made) == [FINDING]


def test_the_last_piece_may_come_with_the_end_of_a_stream() -> None:
    assert text_of(streamed(chunk(PROSE[:40]), chunk(PROSE[40:], reason="stop"))) == PROSE + WORDS


def test_behind_a_stream_that_calls_a_tool_or_refuses_there_is_nothing() -> None:
    call = [{"index": 0, "id": "t", "type": "function"}]
    for more in ({"tool_calls": call}, {"refusal": "No."}):
        made = run()
        events = streamed(chunk(PROSE), chunk(**more), chunk(reason="stop"), made=made)
        assert text_of(events) == PROSE
        assert found(made) == []


@pytest.mark.parametrize(
    ("fields", "prose"),
    [
        ({}, True),
        ({"response_format": None, "tools": [], "stop": None}, True),
        ({"response_format": {"type": "text"}}, True),
        ({"logit_bias": {"1": 1}, "temperature": 0}, True),
        ({"response_format": {"type": "json_object"}}, False),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, False),
        ({"response_format": "text"}, False),
        ({"tools": [{"type": "function"}]}, False),
        ({"functions": [{}]}, False),
        ({"guided_json": {}}, True),
        ({"guided_json": {"type": "object"}}, False),
        ({"guided_regex": "a+"}, False),
        ({"structured_outputs": {"choice": ["a"]}}, False),
        ({"stop": ["\n"]}, False),
    ],
)
def test_a_request_tells_whether_its_answer_is_prose(fields: dict[str, Any], prose: bool) -> None:
    """Planted: a canary in JSON mode."""
    assert is_prose(fields) is prose
    body = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], **fields}
    assert CHAT.read(orjson.dumps(body), {}, Terms(KINDS)).prose is prose


def test_a_text_that_is_to_be_filled_in_is_no_prose() -> None:
    body = {"model": "gpt", "prompt": "once"}
    for fields, prose in (({}, True), ({"suffix": "after"}, False)):
        asked = COMPLETIONS.read(orjson.dumps({**body, **fields}), {}, Terms(KINDS))
        assert asked.prose is prose


@pytest.mark.parametrize("cuts", [1, 7])
def test_a_document_that_is_too_large_to_be_parsed_at_once_ends_with_them_too(cuts: int) -> None:
    long = PROSE * 3000
    body = orjson.dumps({**document(choice(long), {**choice(), "index": 1}), "usage": None})
    answer, made = CHAT.ended()["application/json"], run()
    assert isinstance(answer, Document)
    assert len(body) > WHOLE
    rewriter, size = DocumentRewriter(answer.node, made, 1 << 20), len(body) // cuts + 1
    parts = (body[at : at + size] for at in range(0, len(body), size))
    pieces = [each for part in parts for each in rewriter.feed(part)]
    after = orjson.loads(b"".join(each or b"" for each in [*pieces, *rewriter.finish()]))
    texts = [each["message"]["content"] for each in after["choices"]]
    assert texts == [long + WORDS, PROSE]
    assert found(made) == [FINDING]
