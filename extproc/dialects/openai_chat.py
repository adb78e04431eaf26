"""OpenAI chat completions, as documents and as streams (POST /v1/chat/completions).

Source: OpenAI API reference, "Chat Completions"; the fields that servers such as vLLM and SGLang
add (``reasoning_content``, ``reasoning``) are known too.  Log probabilities stand in four places:
``content`` and ``refusal``, of a message's choice and of a stream's.
"""

from typing import ClassVar, Final

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.gate import PASS, Alternatives, Granted, Object, Terms
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked, require
from extproc.dialects.sampling import SEED, TEMPERATURE
from extproc.dialects.shape import (
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
)
from extproc.dialects.token_logprobs import ENTRY, logprobs
from extproc.prediction import Query
from extproc.refusal import Refusal

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
        "seed": SEED,
        "temperature": TEMPERATURE,
        "logprobs": Granted("logprobs"),
        "top_logprobs": Granted("logprobs", Alternatives()),
    }
)
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
        return {JSON: Document(tree), "text/event-stream": Events(tree, self.SENTINELS)}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _check_choices(n: object) -> None:
    valid = n is None or (type(n) is int and 1 <= n <= MAX_CHOICES)
    require(valid, f"'n' must be between 1 and {MAX_CHOICES}.")


_TOKENS: Final = Items(Leaf("logprobs", logprobs, ENTRY))
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
