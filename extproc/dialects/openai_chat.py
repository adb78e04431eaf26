"""OpenAI chat completions, as documents and as streams (POST /v1/chat/completions).

Source: OpenAI API reference, "Chat Completions"; vLLM and SGLang, "OpenAI-compatible server".  What
a request may ask for, and why not, stands in openai_request.py; besides, ``moderation`` goes where
scores are not granted, and nothing is stored for a later look by another path.  Log probabilities
stand in four places: ``content`` and ``refusal``, of a message's choice and of a stream's.  vLLM's
``prompt_logprobs``, ``prompt_token_ids``, ``token_ids``, ``stop_reason`` and ``kv_transfer_params``
are in no tier and do not pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import ClassVar, Final

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.ended import ended, is_prose
from extproc.dialects.features import CHOICES, TOKENS, TOOLS
from extproc.dialects.gate import (
    PASS,
    Alternatives,
    Forced,
    Granted,
    Object,
    Only,
    Terms,
)
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_logprobs import ENTRIES
from extproc.dialects.openai_request import (
    MAX_CHOICES,
    SAMPLING,
    STREAM_OPTIONS,
    USERS,
    VLLM,
    check_alone,
    check_count,
    check_model,
    check_stream,
    is_free,
    salted,
)
from extproc.dialects.openai_scores import MODERATION
from extproc.dialects.openai_usage import COMPLETION_USAGE
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
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
from extproc.dialects.unasked import COUNTS, counted, counting, unasked
from extproc.prediction import Query
from extproc.refusal import Refusal

_LOGPROB_FIELDS: Final = ("logprobs", "top_logprobs")
_MAXIMA: Final = ("max_tokens", "max_completion_tokens")
MAX_ALTERNATIVES: Final = 20
"""The API's own bound on ``top_logprobs``; for vLLM -1 is the whole vocabulary."""
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "messages",
                "stop",
                "stream",
                "metadata",
                "presence_penalty",
                "frequency_penalty",
                "response_format",
                "tool_choice",
                "parallel_tool_calls",
                "function_call",
                "reasoning_effort",
                "verbosity",
                "service_tier",
                "prompt_cache_key",
            ),
            PASS,
        ),
        **SAMPLING,
        **VLLM,
        **USERS,
        **dict.fromkeys(_MAXIMA, TOKENS),
        **dict.fromkeys(("tools", "functions"), TOOLS),
        "n": CHOICES,
        "best_of": Only((None, 1)),
        "stream_options": STREAM_OPTIONS,
        "logprobs": Granted("logprobs"),
        "top_logprobs": Granted("logprobs", Alternatives()),
        "modalities": Only((None, ["text"])),
        "moderation": Granted("score"),
        "prediction": Granted("usage_detail"),
        "store": Forced(value=False),
    },
    bounded=_MAXIMA,
)
PADDING: Final = "obfuscation"
"""The member with which the API itself hides the lengths of tokens."""


class OpenAIChat(JsonDialect, frozen=True, tag="openai_chat"):
    """Chat completions."""

    cache_salt: bool = False
    """Whether the model server is vLLM and keeps each tenant's prompt cache apart by a salt."""
    count_usage: bool = False
    """Whether streams are asked for their token counts, for the record; who did not ask is shown
    none."""

    SENTINELS: ClassVar[frozenset[bytes]] = frozenset({b"[DONE]"})

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, salted(_GATE, terms, wanted=self.cache_salt), terms)
        read, fields = admitted.read, admitted.fields
        model, stream = check_model(read), check_stream(read)
        require(isinstance(read.get("messages"), list), "'messages' must be an array.")
        check_count(read, "n", 1, MAX_CHOICES)
        check_count(read, "top_logprobs", 0, MAX_ALTERNATIVES)
        if any(map(fields.get, _LOGPROB_FIELDS)):
            check_alone(fields)
            require(not _has_grammar(fields), "A grammar and 'logprobs' cannot be combined.")
        query = Query(model, inputs=1, stream=stream)
        inputs, prose = (read["messages"],), is_prose(read)
        asked = Asked(query, admitted.body, inputs, {}, admitted.changed, prose=prose)
        return counted(asked, fields) if self.count_usage else asked

    def answers(self) -> Answers:
        return self._framed(self.answer())

    def ended(self) -> Answers:
        """The same, where words may stand behind the text."""
        return self._framed(ended(self.answer(), "content", "message", "delta"))

    def _framed(self, tree: Node) -> Answers:
        events = Events(Chunk(tree), self.SENTINELS, padding=PADDING)
        if self.count_usage:
            events = counting(events, Chunk(unasked(tree, COUNTS)))
        return {JSON: Document(tree, PADDING), "text/event-stream": events}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _has_grammar(fields: Mapping[str, Json]) -> bool:
    """Whether a grammar may be asked for: by the format of the text, or in a tool."""
    tools = fields.get("tools") or []
    functions = isinstance(tools, list) and all(map(_is_function, tools))
    return not functions or not is_free(fields.get("response_format"))


def _is_function(tool: Json) -> bool:
    return isinstance(tool, dict) and tool.get("type") == "function"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a stream: gone where nothing of its deltas is left.

    Empty ones would tell how many tokens were reasoned.
    """

    tree: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        after = self.tree.rewrite(value, run, place)
        if after is value or not after.get("choices") or after.get("usage") is not None:
            return after
        pairs = zip(value["choices"], after["choices"], strict=True)
        return ABSENT if all(starmap(_is_emptied, pairs)) else after


def _is_emptied(before: Json, after: Json) -> bool:
    told = before is not None and before.get("delta")
    return bool(told) and not after["delta"] and after.get("finish_reason") is None


_LOGPROBS: Final = Gate("logprobs", Fields({"content": ENTRIES, "refusal": ENTRIES}), nulled=True)
_FUNCTION: Final = Fields({"name": Keep(), "arguments": Keep()})
_TOOL_CALL: Final = Fields(
    {
        "index": Keep(),
        "id": Keep(),
        "type": Keep(),
        "function": _FUNCTION,
        "custom": Fields({"name": Keep(), "input": Keep()}),
    }
)
_THOUGHT: Final = Fields(dict.fromkeys(("type", "thinking", "signature", "data"), Keep()))
_MESSAGE: Final = Fields(
    {
        "role": Keep(),
        "content": Opaque("text"),
        "refusal": Opaque("text"),
        "tool_calls": Gate("text", Items(_TOOL_CALL)),
        "function_call": Gate("text", _FUNCTION),
        "reasoning": Opaque("reasoning"),
        "reasoning_content": Opaque("reasoning"),
        "thinking_blocks": Gate("reasoning", Items(_THOUGHT)),
    }
)
_ANSWER: Final = Fields(
    {
        "id": Keep(),
        "object": Keep(),
        "created": Keep(),
        "model": ModelName(),
        "system_fingerprint": Opaque("identity"),
        "service_tier": Opaque("identity"),
        "choices": Items(
            Fields(
                {
                    "index": Keep(),
                    "message": _MESSAGE,
                    "delta": _MESSAGE,
                    "logprobs": _LOGPROBS,
                    "finish_reason": Keep(),
                }
            )
        ),
        "usage": COMPLETION_USAGE,
        "moderation": MODERATION,
        "obfuscation": Keep(),
        "error": Fault(),
    }
)
