"""OpenAI's legacy completions, as documents and as streams (POST /v1/completions).

Source: OpenAI API reference, "Completions"; vLLM, "OpenAI-compatible server".  What a request may
ask for, and why not, stands in openai_request.py.  Log probabilities stand in columns: ``tokens``,
``token_logprobs``, ``top_logprobs`` (an object per token, text by text) and ``text_offset``.  Rule:
the columns are read as rows and written back together, so that they tell the same everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from types import NoneType
from typing import ClassVar, Final

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import CHOICES, TOKENS
from extproc.dialects.gate import PASS, Alternatives, Granted, Object, Terms
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_logprobs import edited
from extproc.dialects.openai_request import (
    MAX_CHOICES,
    OBFUSCATION,
    SAMPLING,
    VLLM,
    check_alone,
    check_count,
    check_model,
    check_stream,
    prompts,
    salted,
)
from extproc.dialects.openai_usage import COMPLETION_USAGE
from extproc.dialects.request import Asked
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Edit,
    Fault,
    Fields,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
)
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Query, Token
from extproc.refusal import Refusal

MAX_ALTERNATIVES: Final = 5
"""The API's own bound on ``logprobs``."""
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "prompt",
                "suffix",
                "stop",
                "stream",
                "user",
                "presence_penalty",
                "frequency_penalty",
                "response_format",
            ),
            PASS,
        ),
        **SAMPLING,
        **VLLM,
        "max_tokens": TOKENS,
        **dict.fromkeys(("n", "best_of"), CHOICES),
        "stream_options": Object({"include_usage": PASS, **OBFUSCATION}),
        "logprobs": Granted("logprobs", Alternatives()),
    },
    bounded=("max_tokens",),
)


class OpenAICompletions(JsonDialect, frozen=True, tag="openai_completions"):
    """Legacy completions."""

    cache_salt: bool = False
    """Whether the model server is vLLM and keeps each tenant's prompt cache apart by a salt."""

    SENTINELS: ClassVar[frozenset[bytes]] = frozenset({b"[DONE]"})

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, salted(_GATE, terms, wanted=self.cache_salt), terms)
        read, fields = admitted.read, admitted.fields
        model, stream = check_model(read), check_stream(read)
        inputs = prompts(read, "prompt")
        check_count(read, "n", 1, MAX_CHOICES)
        check_count(read, "best_of", 1, MAX_CHOICES)
        check_count(read, "logprobs", 0, MAX_ALTERNATIVES)
        # None of it is 0, which asks for the chosen token's.
        if fields.get("logprobs") is not None:
            check_alone(fields)
        query = Query(model, len(inputs), stream)
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def answers(self) -> Answers:
        tree = self.answer()
        return {JSON: Document(tree), "text/event-stream": Events(tree, self.SENTINELS)}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


@dataclass(frozen=True, slots=True)
class _Row:
    """One token: what stands in each column at its place."""

    text: str
    logprob: float | None
    """None where the model server gives none, as for the first token of a prompt."""
    others: Mapping[str, float] | None
    offset: int | None

    def edited(self, edit: Edit) -> "_Row | None":
        """The row itself where nothing changed, None where it is withheld."""
        if self.logprob is None:
            return None if self.others else self
        others = tuple(Token(text, float(value)) for text, value in (self.others or {}).items())
        before = Logprobs(Token(self.text, float(self.logprob)), others)
        after = edited(before, edit)
        if after is None or after is before:
            return None if after is None else self
        shown = {token.text: token.logprob for token in after.alternatives}
        chosen = after.chosen
        return _Row(
            chosen.text, chosen.logprob, None if self.others is None else shown, self.offset
        )


def _columns(value: Json, edit: Edit, place: str) -> Json:
    before = _rows(value, place)
    after = [row.edited(edit) for row in before]
    if all(new is old for new, old in zip(after, before, strict=True)):
        return value
    rows = [row for row in after if row is not None]
    if not rows:
        return ABSENT
    columns: dict[str, Json] = {
        "tokens": [row.text for row in rows],
        "token_logprobs": [row.logprob for row in rows],
        "top_logprobs": [row.others for row in rows],
        "text_offset": [row.offset for row in rows],
    }
    return {name: columns[name] if old else old for name, old in value.items()}


def _rows(value: Mapping[str, Json], place: str) -> list[_Row]:
    texts, logprobs = value.get("tokens") or [], value.get("token_logprobs") or []
    others = value.get("top_logprobs") or [None] * len(texts)
    offsets = value.get("text_offset") or [None] * len(texts)
    columns: Sequence[Json] = (texts, logprobs, others, offsets)
    if not all(isinstance(column, list) and len(column) == len(texts) for column in columns):
        raise UpstreamError(f"{place} has columns of different lengths")
    rows = list(zip(*columns, strict=True))
    if not all(starmap(_is_row, rows)):
        raise UpstreamError(f"{place} is not tokens with their log probabilities")
    return list(starmap(_Row, rows))


def _is_row(text: Json, logprob: Json, others: Json, offset: Json) -> bool:
    return (
        isinstance(text, str)
        and type(logprob) in {int, float, NoneType}
        and type(offset) in {int, NoneType}
        and isinstance(others, dict | None)
        and set(map(type, (others or {}).values())) <= {int, float}
    )


_COLUMNS: Final = Fields(
    dict.fromkeys(("tokens", "token_logprobs", "top_logprobs", "text_offset"), Anything())
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
                    "text": Opaque("text"),
                    "logprobs": Leaf("logprobs", _columns, _COLUMNS, nulled=True),
                    "finish_reason": Keep(),
                }
            )
        ),
        "usage": COMPLETION_USAGE,
        "obfuscation": Keep(),
        "error": Fault(),
    }
)
