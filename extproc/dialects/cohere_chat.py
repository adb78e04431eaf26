"""Cohere's chat (POST /v2/chat), as documents and as streams of events named by their ``type``.

Rule: what the model writes to itself (``thinking``, ``tool_plan``) is ``reasoning``.  Where that
does not pass, a thinking block stays in its place and is empty, so that no index moves, and no
event tells how much there was of it.

Source: Cohere API reference, "Chat" and "Chat Stream".
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.cohere import USAGE, cohere_error
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import TOKENS, TOOLS
from extproc.dialects.gate import PASS, Granted, Object, Repeatable, Terms, Within
from extproc.dialects.mutation import Edit
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Query, Token
from extproc.refusal import Refusal

_COLDEST: Final = 0.3
"""The least temperature of tenants that may not have the same answer drawn twice."""
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "messages",
                "stream",
                "strict_tools",
                "tool_choice",
                "documents",
                "citation_options",
                "response_format",
                "safety_mode",
                "stop_sequences",
                "frequency_penalty",
                "presence_penalty",
                "thinking",
            ),
            PASS,
        ),
        "max_tokens": TOKENS,
        "tools": TOOLS,
        "seed": Repeatable(),
        "temperature": Repeatable(otherwise=Within(least=_COLDEST)),
        # One candidate leaves nothing to draw.
        "k": Repeatable(),
        "p": Repeatable(),
        "logprobs": Granted("logprobs"),
    },
    bounded=("max_tokens",),
)


class CohereChat(JsonDialect, frozen=True, tag="cohere_chat"):
    """Chat."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        messages, stream = admitted.read.get("messages"), admitted.read.get("stream")
        require(isinstance(messages, list), "'messages' must be an array.")
        require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.")
        # What a grammar leaves to choose from, log probabilities tell one by one.
        require(
            not (_has_grammar(admitted.fields) and admitted.fields.get("logprobs")),
            "A schema and 'logprobs' cannot be combined.",
        )
        query = Query(admitted.model, inputs=1, stream=bool(stream))
        return Asked(query, admitted.body, (messages,), {}, admitted.changed)

    def answers(self) -> Answers:
        sentinels = frozenset({b"[DONE]"})
        return {
            JSON: Document(self.answer()),
            "text/event-stream": Events(_EVENT, sentinels, named=True),
        }

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return cohere_error(refusal)


def _has_grammar(fields: dict[str, Json]) -> bool:
    """Whether the answer is to fit a schema: one under any name that is not known is taken for one.

    A model that is to write any JSON is not confined to some words.
    """
    wanted = fields.get("response_format")
    return bool(wanted) and (not isinstance(wanted, dict) or bool(wanted.keys() - {"type"}))


class _Entry(msgspec.Struct):
    token_ids: list[int]
    logprobs: list[float] | None = None
    text: str | None = None


def _logprobs(value: Json, edit: Edit, place: str) -> Json:
    """A piece of text: its tokens, each with its log probability and without alternatives."""
    try:
        entry = msgspec.convert(value, _Entry)
    except msgspec.ValidationError as error:
        raise UpstreamError(f"{place} does not hold tokens with log probabilities") from error
    if entry.logprobs is None:
        return value
    if len(entry.token_ids) != len(entry.logprobs):
        raise UpstreamError(f"{place} does not hold a log probability for each token")
    before = [
        Logprobs(Token(str(token), logprob), ())
        for token, logprob in zip(entry.token_ids, entry.logprobs, strict=True)
    ]
    after = [edit(logprobs) for logprobs in before]
    if all(new is old for new, old in zip(after, before, strict=True)):
        return value
    if any(logprobs is None for logprobs in after):
        return ABSENT
    return {**value, "logprobs": [_chosen(logprobs) for logprobs in after]}


def _chosen(prediction: Any) -> float:
    if not isinstance(prediction, Logprobs):
        raise TypeError(f"a mutator made {type(prediction).__name__} of log probabilities")
    return prediction.chosen.logprob


@dataclass(frozen=True, slots=True)
class _Thought:
    """What a thinking block holds: nothing, where it does not pass."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, str):
            raise UpstreamError(f"{place} is not a string")
        if not value:
            return value
        if "reasoning" in run.edits:
            run.told.pass_whole("reasoning", value)
            return value
        run.drop(place)
        return ""


@dataclass(frozen=True, slots=True)
class _Either:
    """An array in a whole message, one of its items in an event of a stream."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        node = Items(self.node) if isinstance(value, list) else self.node
        return node.rewrite(value, run, place)


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of a stream; one that would only tell that something was thought is taken out."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if _is_thought(value) and "reasoning" not in run.edits:
            return run.drop("event(reasoning)")
        return self.node.rewrite(value, run, place)


def _is_thought(event: Json) -> bool:
    match event:
        case {"type": "content-delta", "delta": {"message": {"content": {"thinking": _}}}}:
            return True
        case {"type": str(kind)}:
            # The last holds the prompt as the model reads it.
            return kind in {"tool-plan-delta", "debug"}
        case _:
            return False


_ENTRY: Final = Fields(dict.fromkeys(("text", "token_ids", "logprobs"), Anything()))
_LOGPROBS: Final = Leaf("logprobs", _logprobs, _ENTRY)
_CONTENT: Final = _Either(Fields({"type": Keep(), "text": Opaque("text"), "thinking": _Thought()}))
_TOOL_CALL: Final = Fields(
    {
        "id": Keep(),
        "type": Keep(),
        "function": Fields({"name": Keep(), "arguments": Keep()}),
    }
)
_CITATION: Final = Fields(
    {
        **dict.fromkeys(("start", "end", "text", "content_index", "type"), Keep()),
        "sources": Items(Fields({"type": Keep(), "id": Keep()})),
    }
)
_MESSAGE: Final = Fields(
    {
        "role": Keep(),
        "content": _CONTENT,
        "tool_plan": Opaque("reasoning"),
        "tool_calls": Gate("text", _Either(_TOOL_CALL)),
        "citations": Gate("text", _Either(_CITATION)),
    }
)
_FAULTS: Final = {"error": Fault()}
_ANSWER: Final = Fields(
    {
        **dict.fromkeys(("id", "finish_reason"), Keep()),
        "message": _MESSAGE,
        "logprobs": Gate("logprobs", Items(_LOGPROBS), nulled=True),
        "usage": USAGE,
        **_FAULTS,
    }
)
_EVENT: Final = _Event(
    Fields(
        {
            **dict.fromkeys(("type", "id", "index"), Keep()),
            "delta": Fields(
                {"message": _MESSAGE, "finish_reason": Keep(), "usage": USAGE, **_FAULTS}
            ),
            "logprobs": _LOGPROBS,
            **_FAULTS,
        }
    )
)
