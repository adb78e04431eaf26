"""Anthropic's messages, as documents and as named events (POST /v1/messages).

Source: Anthropic API reference, "Messages" and "Streaming Messages".  Rule: a content block passes
whole or not at all, by the kind of its type, and those that pass are numbered from 0 without gaps,
since clients keep them in a list.  Thinking goes with its signature.  Types of blocks, of parts of
blocks and of events that are not known here are taken out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.counted import Counted
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import TOKENS, TOOLS
from extproc.dialects.gate import PASS, USER, Granted, Object, Terms
from extproc.dialects.request import Asked, require
from extproc.dialects.sampling import CUT, TEMPERATURE
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "messages",
                "system",
                "stop_sequences",
                "stream",
                "tool_choice",
            ),
            PASS,
        ),
        "max_tokens": TOKENS,
        "tools": TOOLS,
        "metadata": Object({"user_id": USER}),
        "output_config": Object({"effort": PASS, "format": PASS}),
        "thinking": Granted("reasoning"),
        "service_tier": Granted("identity"),
        "temperature": TEMPERATURE,
        "top_k": CUT,
        "top_p": CUT,
    },
    bounded=("max_tokens",),
)
_ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_BLOCKS: Final[Mapping[str, Kind]] = {
    "text": "text",
    "tool_use": "text",
    "server_tool_use": "text",
    "web_search_tool_result": "text",
    "thinking": "reasoning",
    "redacted_thinking": "reasoning",
}
_DELTAS: Final[Mapping[str, Kind]] = {
    "text_delta": "text",
    "input_json_delta": "text",
    "citations_delta": "text",
    "thinking_delta": "reasoning",
    "signature_delta": "reasoning",
}
_MOST_OPEN: Final = 64
"""Content blocks that a stream may have begun and not ended; the API begins one at a time."""


class AnthropicMessages(JsonDialect, frozen=True, tag="anthropic_messages"):
    """Anthropic's messages."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        read = admitted.read
        model, stream = read.get("model"), read.get("stream")
        require(isinstance(model, str) and model, "'model' must be a name.")
        require(isinstance(read.get("messages"), list), "'messages' must be an array.")
        require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.")
        query = Query(str(model), inputs=1, stream=bool(stream))
        about = (read.get("system"), read["messages"])
        return Asked(query, admitted.body, (about,), {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def answer(self) -> Fields:
        return _guarded(super().answer())

    def answers(self) -> Answers:
        tree = self.answer()
        return {JSON: Document(tree), "text/event-stream": Events(_Stream(tree), named=True)}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        fallback = "api_error" if refusal.status >= 500 else "invalid_request_error"
        kind = _ERRORS.get(refusal.status, fallback)
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": refusal.message}})


def _guarded(tree: Node) -> Fields:
    """The tree with what its plain nodes cannot say, once the policy has added to those."""
    assert isinstance(tree, Fields)
    fields = dict(tree.fields)
    content, usage = fields["content"], fields["usage"]
    assert isinstance(content, Items)
    fields["content"] = Items(_Typed(_BLOCKS, content.node))
    fields["usage"] = Counted(_Usage(usage), ("input_tokens", *_CACHED), ("output_tokens",))
    if "message" in fields:
        fields["message"] = _guarded(fields["message"])
        fields["content_block"] = _Typed(_BLOCKS, fields["content_block"])
    return Fields(fields)


@dataclass(frozen=True, slots=True)
class _Typed:
    """An object whose ``type`` has a kind, and which passes where that is granted."""

    kinds: Mapping[str, Kind]
    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, dict) or not isinstance(name := value.get("type"), str):
            raise UpstreamError(f"{place} is not an object with a type")
        kind = self.kinds.get(name)
        if kind is None:
            return run.drop(f"{place}(*)")
        if kind not in run.edits:
            return run.drop(f"{place}({name})")
        return self.node.rewrite(value, run, place)


_NO_USAGE: Final = {"input_tokens": 0, "output_tokens": 0}
_CACHED: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")


@dataclass(frozen=True, slots=True)
class _Usage:
    """Token counts, which clients add up unasked: zeros stand in for what is not granted.

    ``input_tokens`` leaves out what was cached, and would tell it by being small.  Where the detail
    is not granted, it is the whole input.
    """

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if "usage" not in run.edits:
            run.drop(place)
            return _NO_USAGE
        known = self.node.rewrite(value, run, place)
        if "usage_detail" in run.edits or value.get("input_tokens") is None:
            return known
        cached = [value[name] for name in _CACHED if value.get(name) is not None]
        counts = [known["input_tokens"], *cached]
        if not all(type(count) is int for count in counts):
            raise UpstreamError(f"{place} holds a count that is no whole number")
        return {**known, "input_tokens": sum(counts)} if any(cached) else known


@dataclass(slots=True)
class _Blocks:
    """The content blocks of a stream: the number each has here, None where it does not pass."""

    opened: dict[Json, int | None] = field(default_factory=dict)
    """By the number that the model server gave; of those that are begun and not ended."""
    passed: int = 0

    @staticmethod
    def of(run: Rewrite) -> "_Blocks":
        blocks: _Blocks = run.memory.setdefault("blocks", _Blocks())
        return blocks

    def begin(self, index: Json) -> int:
        if type(index) is not int or index in self.opened:
            raise UpstreamError("a content block begins under no number of its own")
        if len(self.opened) >= _MOST_OPEN:
            raise UpstreamError(f"more than {_MOST_OPEN} content blocks are begun and not ended")
        self.opened[index] = None
        return index

    def let_through(self, index: int) -> int:
        self.opened[index] = number = self.passed
        self.passed += 1
        return number

    def number(self, index: Json) -> int | None:
        if type(index) is not int or index not in self.opened:
            raise UpstreamError("an event is of a content block that has not begun")
        return self.opened[index]


class _Stream:
    """An event of a stream: of the message, or of one of its content blocks."""

    def __init__(self, tree: Fields) -> None:
        self._message = tree
        # The delta of a message has no type.
        self._block = Fields({**tree.fields, "delta": _Typed(_DELTAS, tree.fields["delta"])})

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError("an event is not an object")
        match value.get("type"):
            case "content_block_start":
                return self._begin(value, run)
            case "content_block_delta":
                return self._go_on(value, run)
            case "content_block_stop":
                return self._end(value, run)
            case "message_start" | "message_delta" | "message_stop" | "ping" | "error":
                return self._message.rewrite(value, run, place)
            case _:
                return run.drop("(*)")

    def _begin(self, event: dict[str, Any], run: Rewrite) -> Json:
        blocks = _Blocks.of(run)
        index = blocks.begin(event.get("index"))
        after = self._with("content_block", event, run)
        return after if after is ABSENT else _numbered(after, blocks.let_through(index))

    def _go_on(self, event: dict[str, Any], run: Rewrite) -> Json:
        number = _Blocks.of(run).number(event.get("index"))
        if number is None:
            return run.drop("(content_block_delta)")
        after = self._with("delta", event, run)
        return after if after is ABSENT else _numbered(after, number)

    def _end(self, event: dict[str, Any], run: Rewrite) -> Json:
        blocks, index = _Blocks.of(run), event.get("index")
        number = blocks.number(index)
        del blocks.opened[index]
        if number is None:
            return run.drop("(content_block_stop)")
        return _numbered(self._block.rewrite(event, run, ""), number)

    def _with(self, name: str, event: dict[str, Any], run: Rewrite) -> Json:
        """The event, or ABSENT where the field that it is for does not pass."""
        if event.get(name) is None:
            raise UpstreamError(f"an event has no {name}")
        after = self._block.rewrite(event, run, "")
        return after if name in after else ABSENT


def _numbered(event: dict[str, Any], number: int) -> dict[str, Any]:
    return event if event["index"] == number else {**event, "index": number}


@dataclass(frozen=True, slots=True)
class _OneOrMany:
    """An array of such values, or one of them: a search that found nothing gives its error."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        node = Items(self.node) if isinstance(value, list) else self.node
        return node.rewrite(value, run, place)


def _kept(*names: str) -> dict[str, Node]:
    return dict.fromkeys(names, Keep())


_CITATION: Final = Fields(
    _kept(
        *("type", "cited_text", "source", "title", "url", "encrypted_index", "file_id"),
        *("document_index", "document_title", "search_result_index"),
        *(
            f"{edge}_{unit}"
            for edge in ("start", "end")
            for unit in ("char_index", "page_number", "block_index")
        ),
    )
)
_FOUND: Final = Fields(_kept("type", "url", "title", "encrypted_content", "page_age", "error_code"))
_BLOCK: Final = Fields(
    {
        **_kept("type", "id", "tool_use_id"),
        "text": Opaque("text"),
        "citations": Gate("text", Items(_CITATION)),
        "name": Opaque("text"),
        "input": Gate("text", Anything()),
        "content": Gate("text", _OneOrMany(_FOUND)),
        "thinking": Opaque("reasoning"),
        "signature": Opaque("reasoning"),
        "data": Opaque("reasoning"),
    }
)
_END: Final[dict[str, Node]] = {
    **_kept("stop_reason", "stop_sequence"),
    "stop_details": Gate("identity", Fields(_kept("type", "category", "explanation"))),
    "container": Gate("identity", Fields(_kept("id", "expires_at"))),
}
_DELTA: Final = Fields(
    {
        **_END,
        "type": Keep(),
        "text": Opaque("text"),
        "partial_json": Opaque("text"),
        "citation": Gate("text", _CITATION),
        "thinking": Opaque("reasoning"),
        "signature": Opaque("reasoning"),
    }
)
_DETAILS: Final[dict[str, Fields]] = {
    "cache_creation": Fields(_kept("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")),
    "output_tokens_details": Fields(_kept("thinking_tokens")),
    "server_tool_use": Fields(_kept("web_search_requests", "web_fetch_requests")),
}
_COUNTS: Final = Fields(
    {
        **_kept("input_tokens", "output_tokens"),
        **dict.fromkeys(_CACHED, Opaque("usage_detail")),
        **{name: Gate("usage_detail", node) for name, node in _DETAILS.items()},
        **dict.fromkeys(("service_tier", "inference_geo", "speed"), Opaque("identity")),
    }
)
_MESSAGE: Final[dict[str, Node]] = {
    **_END,
    **_kept("id", "type", "role"),
    "model": ModelName(),
    "content": Items(_BLOCK),
    "usage": Gate("usage", _COUNTS),
}
_ANSWER: Final = Fields(
    {
        **_MESSAGE,
        "error": Fault(),
        # Of the events of a stream.
        "message": Fields(_MESSAGE),
        "index": Keep(),
        "content_block": _BLOCK,
        "delta": _DELTA,
    }
)
