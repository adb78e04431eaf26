"""OpenAI chat completions, as documents and as streams (POST /v1/chat/completions).

Source: OpenAI API reference, "Chat Completions"; the fields that servers such as vLLM and SGLang
add (``reasoning_content``, ``reasoning``) are known too.  Log probabilities stand in four places:
``content`` and ``refusal``, of a message's choice and of a stream's.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.gate import (
    PASS,
    Alternatives,
    Granted,
    Object,
    Repeatable,
    Terms,
    Within,
)
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Edit,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Query, Token
from extproc.refusal import Refusal

COLDEST: Final = 0.3
"""The least temperature of tenants that may not have the same answer drawn twice."""
_LOGPROB_FIELDS: Final = ("logprobs", "top_logprobs")
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "messages",
                "max_tokens",
                "max_completion_tokens",
                "top_p",
                "n",
                "stop",
                "stream",
                "user",
                "presence_penalty",
                "frequency_penalty",
                "logit_bias",
                "response_format",
                "tools",
                "tool_choice",
                "parallel_tool_calls",
                "reasoning_effort",
            ),
            PASS,
        ),
        "stream_options": Object({"include_usage": PASS}),
        "seed": Repeatable(),
        "temperature": Repeatable(otherwise=Within(least=COLDEST)),
        "logprobs": Granted("logprobs"),
        "top_logprobs": Granted("logprobs", Alternatives()),
    }
)
PADDING: Final = "obfuscation"
"""The member with which the API itself hides the lengths of tokens."""
MAX_CHOICES: Final = 128
"""The API's own bound on ``n``."""


class OpenAIChat(JsonDialect, frozen=True, tag="openai_chat"):
    """Chat completions."""

    SENTINELS: ClassVar[frozenset[bytes]] = frozenset({b"[DONE]"})

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        read, fields = admitted.read, admitted.fields
        model, stream = read.get("model"), read.get("stream")
        require(isinstance(model, str) and model, "'model' must be a name.")
        require(isinstance(read.get("messages"), list), "'messages' must be an array.")
        require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.")
        _check_choices(read.get("n"))
        # Bias and log probabilities together give the logits of any token (Carlini et al. 2024).
        require(
            not (fields.get("logit_bias") and any(map(fields.get, _LOGPROB_FIELDS))),
            "'logit_bias' and 'logprobs' cannot be combined.",
        )
        query = Query(str(model), inputs=1, stream=bool(stream))
        return Asked(query, admitted.body, (read["messages"],), {}, admitted.changed)

    def answers(self) -> Answers:
        tree = self.answer()
        events = Events(tree, self.SENTINELS, padding=PADDING)
        return {JSON: Document(tree, PADDING), "text/event-stream": events}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _check_choices(n: object) -> None:
    valid = n is None or (type(n) is int and 1 <= n <= MAX_CHOICES)
    require(valid, f"'n' must be between 1 and {MAX_CHOICES}.")


def _logprobs(value: Json, edit: Edit, place: str) -> Json:
    """One entry of ``logprobs.content``: the chosen token and ``top_logprobs``."""
    before = _read(value, place)
    after = edit(before)
    if after is before:
        return value
    if after is None:
        return ABSENT
    if not isinstance(after, Logprobs):
        raise TypeError(f"a mutator made {type(after).__name__} of log probabilities")
    changed = _entry(after.chosen, value)
    if value.get("top_logprobs") is not None:
        changed["top_logprobs"] = [_entry(token, value) for token in after.alternatives]
    return {**value, **changed}


def _read(value: Json, place: str) -> Logprobs:
    chosen = _token(value, place)
    others = value.get("top_logprobs") or ()
    return Logprobs(chosen, tuple(_token(other, place) for other in others))


def _token(value: Json, place: str) -> Token:
    match value:
        case {"token": str(text), "logprob": logprob} if type(logprob) in (int, float):
            raw = value.get("bytes")
            return Token(text, float(logprob), None if raw is None else _raw(raw, place))
        case _:
            raise UpstreamError(f"{place} is not a token with its log probability")


def _raw(value: Json, place: str) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(byte) is int and 0 <= byte < 256 for byte in value):
        return tuple(value)
    raise UpstreamError(f"{place}.bytes is not an array of bytes")


def _entry(token: Token, like: dict[str, Any]) -> dict[str, Any]:
    """A token as the API writes it; with ``bytes`` where the original entry has them."""
    entry: dict[str, Any] = {"token": token.text, "logprob": token.logprob}
    if "bytes" in like:
        entry["bytes"] = None if token.raw is None else list(token.raw)
    return entry


@dataclass(frozen=True, slots=True)
class _Known:
    """An object whose values a codec checks: Fields of Anything, and several times faster."""

    names: frozenset[str]

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError(f"{place} is not an object")
        if value.keys() <= self.names:
            return value
        for _ in value.keys() - self.names:
            run.drop(f"{place}.*")
        return {name: item for name, item in value.items() if name in self.names}


_TOKEN: Final = ("token", "logprob", "bytes")
_ENTRY: Final = Fields(
    {**dict.fromkeys(_TOKEN, Anything()), "top_logprobs": Items(_Known(frozenset(_TOKEN)))}
)
_TOKENS: Final = Items(Leaf("logprobs", _logprobs, _ENTRY))
_LOGPROBS: Final = Gate("logprobs", Fields({"content": _TOKENS, "refusal": _TOKENS}), nulled=True)
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
_MESSAGE: Final = Fields(
    {
        "role": Keep(),
        "content": Opaque("text"),
        "refusal": Opaque("text"),
        "tool_calls": Gate("text", Items(_TOOL_CALL)),
        "function_call": Gate("text", _FUNCTION),
        "reasoning": Opaque("reasoning"),
        "reasoning_content": Opaque("reasoning"),
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
        "usage": Gate(
            "usage",
            Fields({"prompt_tokens": Keep(), "completion_tokens": Keep(), "total_tokens": Keep()}),
        ),
        "obfuscation": Keep(),
        "error": Fault(),
    }
)
