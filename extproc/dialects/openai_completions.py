"""OpenAI's legacy completions, as documents and as streams (POST /v1/completions).

Source: OpenAI API reference, "Completions"; vLLM, "OpenAI-compatible server".  What a request may
ask for, and why not, stands in openai_request.py.  Log probabilities stand in columns: ``tokens``,
``token_logprobs``, ``top_logprobs`` (an object per token, text by text) and ``text_offset``.  Rule:
the columns are read as rows and written back together, so that they tell the same everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import is_
from types import NoneType
from typing import ClassVar, Final

from extproc.dialects.answers import Answers, Document, Events, Steps, at_once
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.ended import ended, is_prose
from extproc.dialects.features import CHOICES, TOKENS
from extproc.dialects.gate import PASS, USER, Alternatives, Granted, Object, Terms
from extproc.dialects.mutation import Edit
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_logprobs import edited
from extproc.dialects.openai_request import (
    MAX_CHOICES,
    SAMPLING,
    STREAM_OPTIONS,
    VLLM,
    check_alone,
    check_count,
    check_model,
    check_stream,
    is_free,
    prompts,
    salted,
)
from extproc.dialects.openai_usage import COMPLETION_USAGE
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
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
    Stepwise,
)
from extproc.dialects.unasked import COUNTS, counted, counting, unasked
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Query, Token
from extproc.refusal import Refusal

MAX_ALTERNATIVES: Final = 5
"""The API's own bound on ``logprobs``."""
_TURN: Final = 64
"""Tokens that are rewritten in one step."""
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "prompt",
                "suffix",
                "stop",
                "stream",
                "presence_penalty",
                "frequency_penalty",
                "response_format",
            ),
            PASS,
        ),
        **SAMPLING,
        **VLLM,
        "user": USER,
        "max_tokens": TOKENS,
        **dict.fromkeys(("n", "best_of"), CHOICES),
        "stream_options": STREAM_OPTIONS,
        "logprobs": Granted("logprobs", Alternatives()),
    },
    bounded=("max_tokens",),
)


class OpenAICompletions(JsonDialect, frozen=True, tag="openai_completions"):
    """Legacy completions."""

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
        inputs = prompts(read, "prompt")
        check_count(read, "n", 1, MAX_CHOICES)
        check_count(read, "best_of", 1, MAX_CHOICES)
        check_count(read, "logprobs", 0, MAX_ALTERNATIVES)
        # None of it is 0, which asks for the chosen token's.
        if fields.get("logprobs") is not None:
            check_alone(fields)
            free = is_free(fields.get("response_format"))
            require(free, "'response_format' and 'logprobs' cannot be combined.")
        query = Query(model, len(inputs), stream)
        prose = is_prose(read)
        asked = Asked(query, admitted.body, inputs, {}, admitted.changed, prose=prose)
        return counted(asked, fields) if self.count_usage else asked

    def answers(self) -> Answers:
        return self._framed(self.answer())

    def ended(self) -> Answers:
        """The same, where words may stand behind the text."""
        return self._framed(ended(self.answer(), "text"))

    def _framed(self, tree: Node) -> Answers:
        events = Events(tree, self.SENTINELS)
        if self.count_usage:
            events = counting(events, unasked(tree, COUNTS))
        return {JSON: Document(tree), "text/event-stream": events}

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


@dataclass(frozen=True, slots=True)
class _Columns(Stepwise):
    """The columns of one choice, changed as the tier says, or ``null``."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return at_once(self.steps(value, run, place))

    def steps(self, value: Json, run: Rewrite, place: str) -> Steps[Json]:
        if value is None:
            return value
        known = _COLUMNS.rewrite(value, run, place)
        edit, columns = run.edit("logprobs"), _read(known, place)
        before, after = list[_Row](), list[_Row | None]()
        for at in range(0, len(columns[0]), _TURN):
            if at:
                yield
            part = _rows([column[at : at + _TURN] for column in columns], place)
            before += part
            after += [row.edited(edit) for row in part]
            run.told.count("logprobs", 0, sum(row.logprob is None for row in part))
        if all(map(is_, after, before)):
            return known
        rows = [row for row in after if row is not None]
        if rows:
            return _written(known, rows)
        run.drop(place)
        return None


def _written(value: Mapping[str, Json], rows: Sequence[_Row]) -> Json:
    columns: dict[str, Json] = {
        "tokens": [row.text for row in rows],
        "token_logprobs": [row.logprob for row in rows],
        "top_logprobs": [row.others for row in rows],
        "text_offset": [row.offset for row in rows],
    }
    return {name: columns[name] if old else old for name, old in value.items()}


def _read(value: Mapping[str, Json], place: str) -> list[list[Json]]:
    texts, logprobs = value.get("tokens") or [], value.get("token_logprobs") or []
    others = value.get("top_logprobs") or [None] * len(texts)
    offsets = value.get("text_offset") or [None] * len(texts)
    columns: list[Json] = [texts, logprobs, others, offsets]
    if not all(isinstance(column, list) and len(column) == len(texts) for column in columns):
        raise UpstreamError(f"{place} has columns of different lengths")
    return columns


def _rows(columns: list[list[Json]], place: str) -> list[_Row]:
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
                    "logprobs": Gate("logprobs", _Columns(), nulled=True),
                    "finish_reason": Keep(),
                }
            )
        ),
        "usage": COMPLETION_USAGE,
        "obfuscation": Keep(),
        "error": Fault(),
    }
)
