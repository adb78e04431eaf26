"""Which kinds of prediction the answers of a dialect can hold.

Rule: rather one too many than one too few.  A kind is found where the tree of an answer names it,
or where the route declares it; what nodes only name in their code stands here.  A test
serves every answer of the corpus with and without each kind: what that changes must be found.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from extproc.dialects import (
    AnthropicMessages,
    CohereChat,
    CohereClassify,
    Dialect,
    GeminiGenerate,
    Generic,
    HfPipeline,
    KServeV2,
    KServeV2Grpc,
    OllamaChat,
    OllamaGenerate,
    OpenAIChat,
    OpenAIEmbeddings,
    OpenAIModerations,
    OpenAIResponses,
    OpenAITranscriptions,
    OpenAIVectorSearch,
    SageMaker,
    TeiEmbedAll,
    TeiPredict,
    TensorFlowGrpc,
    TensorFlowREST,
    TorchServe,
    TritonGenerate,
    VertexPredict,
    VllmPooling,
)
from extproc.dialects.shape import ModelName
from extproc.prediction import KINDS, Kind

_NAMES: Final = frozenset(KINDS)
_HELD: Final = (bytes, int, float, type(None))
_RANKED: Final[tuple[Kind, ...]] = ("probabilities", "label")
_ONE: Final = (
    AnthropicMessages,
    CohereChat,
    GeminiGenerate,
    OllamaChat,
    OllamaGenerate,
    OpenAIChat,
    OpenAIResponses,
    OpenAITranscriptions,
    TritonGenerate,
)
"""Dialects of which every request has one input."""
_A_TOKEN: Final = (HfPipeline, TeiEmbedAll, VllmPooling)
"""Dialects that may answer a vector for each token of an input."""
_A_CLASS: Final = (
    CohereClassify,
    GeminiGenerate,
    HfPipeline,
    OpenAIChat,
    OpenAIModerations,
    OpenAIResponses,
    OpenAITranscriptions,
    OpenAIVectorSearch,
)
"""Dialects that may answer several scores and labels to one input: one for each category."""


def kinds_of(dialect: Dialect) -> tuple[Kind, ...]:
    """In the order of the kinds."""
    found: set[Kind] = {*_in_code(dialect), *_named(msgspec.structs.asdict(dialect), ())}
    for answer in dialect.answers().values():
        found |= set(_named(answer, ()))
    return tuple(kind for kind in KINDS if kind in found)


def _in_code(dialect: Dialect) -> tuple[Kind, ...]:
    match dialect:
        case CohereClassify():
            return (*_RANKED, "score", "text")
        case KServeV2() | KServeV2Grpc():
            return ("tensor", "identity")
        case OpenAIEmbeddings():
            return ("embedding",)
        case OpenAIResponses():
            return ("logprobs",)
        case HfPipeline(task="classification"):
            return _RANKED
        case TensorFlowGrpc():
            return ("identity", *_CALLS[dialect.call])
        case SageMaker() | TeiPredict() | TensorFlowREST() | TorchServe() | VertexPredict():
            return _RANKED
        case _:
            return ()


_CALLS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "Predict": ("tensor",),
    "Classify": _RANKED,
    "Regress": ("score",),
}


def has_one_input(dialect: Dialect) -> bool:
    """Whether no request of it asks about more."""
    return isinstance(dialect, _ONE)


def is_a_token(dialect: Dialect, kind: Kind) -> bool:
    """Whether there may be a prediction of the kind for each token of an input."""
    return kind == "logprobs" or (kind == "embedding" and isinstance(dialect, _A_TOKEN))


def has_totals(dialect: Dialect) -> bool:
    """Whether it may tell the likelihood of all tokens together, too, in up to two ways."""
    return isinstance(dialect, GeminiGenerate | TritonGenerate)


def is_a_class(dialect: Dialect, kind: Kind) -> bool:
    """Whether there may be a prediction of the kind for each class or category."""
    return kind in {"score", "label"} and isinstance(dialect, _A_CLASS)


def outputs_of(dialect: Dialect, kind: Kind) -> int:
    """How many outputs of a kind the route declares, at least 1."""
    outputs = getattr(dialect, "outputs", None) or getattr(dialect, "answer", None)
    values = list(outputs.values()) if isinstance(outputs, Mapping) else []
    return max(1, values.count(kind))


def kept_of(dialect: Dialect) -> int:
    """How many fields of an answer pass because the route names them, whatever they hold."""
    if isinstance(dialect, Generic):
        return [*dialect.answer.values()].count("keep")
    return len(getattr(dialect, "allow_response", ()))


def unread_of(dialect: Dialect) -> int:
    """How many fields of a request go on because the route names them, whatever they ask for."""
    if isinstance(dialect, Generic):
        known = {dialect.model, dialect.inputs}
        return sum(rule == "pass" and name not in known for name, rule in dialect.request.items())
    return len(getattr(dialect, "allow_request", ()))


def _named(part: Any, above: tuple[int, ...]) -> Iterator[Kind]:
    """A tree that holds itself is walked once."""
    if isinstance(part, str):
        if part in _NAMES:
            yield part
        return
    if isinstance(part, ModelName):
        yield "identity"
    if isinstance(part, _HELD) or id(part) in above:
        return
    for inner in _parts(part):
        yield from _named(inner, (*above, id(part)))


def _parts(part: Any) -> Iterator[Any]:
    match part:
        case Mapping():
            yield from part.values()
        case tuple() | list() | set() | frozenset():
            yield from part
        case partial():
            yield from (*part.args, part.keywords)
        case _:
            yield from getattr(part, "__dict__", {}).values()
            for name in _slots(type(part)):
                yield getattr(part, name, None)


def _slots(of: type) -> Iterator[str]:
    for each in of.__mro__:
        slots = each.__dict__.get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots
