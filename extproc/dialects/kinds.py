"""Which kinds of prediction the answers of a dialect can hold.

Rule: rather one too many than one too few.  A kind is found where the tree of an answer names it,
or where the route declares it; what nodes only name in their code stands here.  A test
serves every answer of the corpus with and without each kind: what that changes must be found.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
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
    Rerank,
    SageMaker,
    SeldonV1,
    TeiEmbedAll,
    TeiEmbedSparse,
    TeiPredict,
    TeiRerank,
    TensorFlowGrpc,
    TensorFlowREST,
    TorchServe,
    TritonGenerate,
    VertexPredict,
    VllmPooling,
)
from extproc.dialects.counted import Counted
from extproc.dialects.shape import ModelName
from extproc.dialects.tabular import TabularDialect
from extproc.prediction import KINDS, Kind

UNCOUNTED: Final = frozenset[Kind]({"usage", "usage_detail", "timing", "identity"})
"""Kinds that are no predictions: they say how and where an answer was made, and count no bits."""
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
_BY_SCORE: Final = (HfPipeline, OpenAIResponses, OpenAIVectorSearch, Rerank, TeiRerank)
"""Dialects that may answer the best first, or alone."""


_DIALECTS: Final = 1024
"""More than a policy has routes."""
_OF_THEIR_OWN: Final = (Generic, KServeV2, KServeV2Grpc, SageMaker, SeldonV1, TabularDialect)


def kinds_of(dialect: Dialect) -> tuple[Kind, ...]:
    """In the order of the kinds.

    Kept, as far as a dialect can be told from others: to walk a large tree takes longer than a
    request may hold others up.
    """
    try:
        return _remembered(dialect)
    except TypeError:  # what it declares is no key; these trees are small
        return _kinds_of(dialect)


def _kinds_of(dialect: Dialect) -> tuple[Kind, ...]:
    found: set[Kind] = {*_in_code(dialect), *_named(msgspec.structs.asdict(dialect), ())}
    for answer in dialect.answers().values():
        found |= set(_named(answer, ()))
    return tuple(kind for kind in KINDS if kind in found)


_remembered: Final = lru_cache(maxsize=_DIALECTS)(_kinds_of)


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


def is_chosen(dialect: Dialect, kind: Kind) -> bool:
    """Whether it may be the model's choice which predictions of the kind an answer holds, or in
    what order: the best scores, the likeliest names, the components of a vector that are not 0.
    """
    match kind:
        case "probabilities":
            return not dialect.positional()
        case "embedding":
            return isinstance(dialect, TeiEmbedSparse)
        case _:
            return kind == "score" and isinstance(dialect, _BY_SCORE)


def told_of_tokens(dialect: Dialect) -> tuple[bool, bool]:
    """Whether its answers tell how many tokens the input has, and how many were written."""
    found = [
        node
        for answer in dialect.answers().values()
        for node in _walked(answer, ())
        if isinstance(node, Counted)
    ]
    return any(each.input is not None for each in found), any(
        each.output is not None for each in found
    )


def has_own_shape(dialect: Dialect) -> bool:
    """Whether every model answers in a shape of its own, of which the API says little."""
    match dialect:
        case TensorFlowGrpc(call):
            return call == "Predict"
        case _:
            return isinstance(dialect, _OF_THEIR_OWN)


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
    for each in _walked(part, above):
        if isinstance(each, str) and each in _NAMES:
            yield each
        if isinstance(each, ModelName):
            yield "identity"


def _walked(part: Any, above: tuple[int, ...]) -> Iterator[Any]:
    """The part and all that it holds; one that holds itself is walked once."""
    yield part
    if isinstance(part, (str, *_HELD)) or id(part) in above:
        return
    for inner in _parts(part):
        yield from _walked(inner, (*above, id(part)))


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
