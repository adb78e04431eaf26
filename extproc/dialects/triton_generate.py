"""Triton's generate extension: POST /v2/models/{model}/generate and generate_stream.

Any output tensor of the model stands in the answer as a field of its own name.  Rule: what the
backends for language models answer is known here, and an output of any other name does not pass.
Log probabilities come one number for each token, without alternatives; logits are tensors.

Sources: Triton "Generate Extension"; the TensorRT-LLM and vLLM backends' inputs and outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.counted import Counted
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import TOKENS
from extproc.dialects.gate import PASS, Granted, Object, Only, Rule, Terms, Within
from extproc.dialects.mutation import Edit
from extproc.dialects.request import Asked, require
from extproc.dialects.sampling import CUT, SEED, TEMPERATURE
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Gate,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.dialects.unasked import asking, unasked
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Logprobs, Query, Token
from extproc.refusal import Refusal

_DEPTH: Final = 3
"""Of arrays of numbers: batch, beam, token."""

_SETTINGS: Final[dict[str, Rule]] = {
    **dict.fromkeys(
        (
            *("stream", "streaming", "exclude_input_in_output", "min_length"),
            *("stop_words", "end_id", "pad_id", "stop"),
            *("length_penalty", "repetition_penalty"),
            *("presence_penalty", "frequency_penalty"),
        ),
        PASS,
    ),
    # Masks, and what a model says behind its own end: refused as vLLM's own are.
    "bad_words": Only((None, "", [])),
    "ignore_eos": Only((None, False)),
    "max_tokens": TOKENS,
    "beam_width": Within(most=16),
    "temperature": TEMPERATURE,
    **dict.fromkeys(("random_seed", "seed"), SEED),
    **dict.fromkeys(("top_k", "top_p"), CUT),
    "return_log_probs": Granted("logprobs"),
    "return_cumulative_logprob": Granted("logprobs"),
    "return_context_logits": Granted("tensor"),
    "return_generation_logits": Granted("tensor"),
    # The vLLM backend writes them as JSON within a string, which nothing here reads.
    "return_logprobs": Granted("tensor"),
    "return_finish_reason": PASS,
    "return_num_input_tokens": Granted("usage"),
    "return_num_output_tokens": Granted("usage"),
}
_COUNTS: Final = {f"return_{name}": name for name in ("num_input_tokens", "num_output_tokens")}
"""What asks for counts, and where they stand."""
_GATE: Final = Object(
    {"id": PASS, "text_input": PASS, **_SETTINGS, "parameters": Object(_SETTINGS)},
    bounded=("max_tokens", "parameters.max_tokens"),
)


class TritonGenerate(JsonDialect, frozen=True, tag="triton_generate"):
    """Text from Triton's language models."""

    count_usage: bool = False
    """Whether every answer is asked for its token counts, for the record; who did not ask is shown
    none.  For backends that know ``return_num_input_tokens`` and ``return_num_output_tokens``."""
    stream: bool = True
    """Whether the answer may be a stream: not on a route of ``generate``, which has none."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        text = admitted.read.get("text_input")
        require(isinstance(text, str), "'text_input' must be a string.")
        # Both paths read the same request.
        query = Query(parameters.get("model", ""), inputs=1, stream=self.stream)
        asked = Asked(query, admitted.body, (text,), {}, admitted.changed)
        return _counted(asked, admitted.fields) if self.count_usage else asked

    def answers(self) -> Answers:
        tree = self.answer()
        if self.count_usage:
            tree = unasked(tree, *_COUNTS.values())
        events = {"text/event-stream": Events(tree)} if self.stream else {}
        return {JSON: Document(tree), **events}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


def _counted(asked: Asked, fields: dict[str, Any]) -> Asked:
    """The request with its token counts asked for, as far as it does not say so itself."""
    parameters = fields.get("parameters") or {}
    told = {
        name: count
        for name, count in _COUNTS.items()
        if not (fields.get(name) or parameters.get(name))
    }
    return asking(asked, {**fields, **dict.fromkeys(told, True)}, told) if told else asked


@dataclass(frozen=True, slots=True)
class _Few:
    """A scalar, or an array of scalars: one of each beam."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, (dict, list)):
                raise UpstreamError(f"{place} is not a scalar")
        if run.told.within is not None:
            run.told.pass_inner(value)
        return value


def _logprobs(value: Json, edit: Edit, place: str) -> Json:
    """Log probabilities of tokens, in arrays or alone."""
    return _each(value, lambda number: _logprob(number, edit), place, _DEPTH)


def _logprob(number: float, edit: Edit) -> float | None:
    after = edit(Logprobs(Token("", float(number)), ()))
    if after is None:
        return None
    if not isinstance(after, Logprobs):
        raise TypeError(f"a mutator made {type(after).__name__} of log probabilities")
    same = after.chosen.logprob == number
    return number if same else after.chosen.logprob


def _each(value: Json, change: Callable[[float], Any], place: str, depth: int) -> Json:
    """Change every number; itself where nothing changed, ABSENT where one of them is dropped."""
    if type(value) in (int, float):
        after = change(value)
        return ABSENT if after is None else after
    if not isinstance(value, list) or not depth:
        raise UpstreamError(f"{place} is not an array of numbers")
    items = [_each(item, change, place, depth - 1) for item in value]
    if any(item is ABSENT for item in items):
        return ABSENT
    return value if all(new is old for new, old in zip(items, value, strict=True)) else items


def _gated(kind: Kind) -> Node:
    return Gate(kind, _Few())


_ANSWER: Final = Fields(
    {
        "id": Keep(),
        "model_name": ModelName(),
        "model_version": Opaque("identity"),
        **dict.fromkeys(("sequence_id", "sequence_index", "batch_index"), _Few()),
        **dict.fromkeys(("sequence_start", "sequence_end", "finish_reason"), _Few()),
        "text_output": _gated("text"),
        "output_log_probs": Leaf("logprobs", _logprobs),
        "cum_log_probs": Leaf("logprobs", _logprobs),
        "cumulative_logprob": Leaf("logprobs", _logprobs),
        "context_logits": Gate("tensor", Anything()),
        "generation_logits": Gate("tensor", Anything()),
        "logprobs": Gate("tensor", Anything()),
        "num_input_tokens": Counted(_gated("usage"), input=()),
        # Of a stream, each event counts its own.
        "num_output_tokens": Counted(_gated("usage"), output=(), added=True),
        "error": Fault(),
    }
)
