"""Text Embeddings Inference: its own paths, each with an answer that is a bare array.

Rule: ``raw_scores`` and ``normalize: false`` ask for the numbers behind the answer and are refused
by name.  No request names a model, so the route does, for tenants' lists of models and for draws.

Source: Text Embeddings Inference API reference (OpenAPI), paths /embed, /embed_all, /embed_sparse,
/predict, /rerank and /similarity.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal

import orjson

from extproc.dialects.confidences import SCORE, ScoredLabels
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Only, Rule, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.inputs import Json, Pairs, some, texts_or_tokens
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fields, Items, Keep, Node, Numbered, Opaque, Rows
from extproc.dialects.vectors import SPARSE, VECTOR, vectors
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

_TRUNCATING: Final = dict.fromkeys(("truncate", "truncation_direction"), PASS)
_EMBEDDING: Final[dict[str, Rule]] = {**_TRUNCATING, "inputs": PASS, "prompt_name": PASS}
_EMBED: Final = Object({**_EMBEDDING, "dimensions": PASS, "normalize": Only((None, True))})
_EMBED_ALL: Final = Object(_EMBEDDING)
_SCORED: Final = Only((None, False))
_PREDICT: Final = Object({**_TRUNCATING, "inputs": PASS, "raw_scores": _SCORED})
_RERANK: Final = Object(
    {
        **_TRUNCATING,
        **dict.fromkeys(("query", "texts", "return_text"), PASS),
        "raw_scores": _SCORED,
    }
)
_SIMILARITY: Final = Object(
    {
        "inputs": Object(dict.fromkeys(("source_sentence", "sentences"), PASS)),
        "parameters": Object({**_TRUNCATING, "prompt_name": PASS}),
    }
)


class _Tei(JsonDialect, frozen=True):
    MALFORMED: ClassVar[int] = 422
    """Where JSON, or what stands in it, is of another type than its API has."""

    model: str = ""
    """What the server's model is called in the policy, where the path does not name it."""

    def _read(self, body: bytes, parameters: Parameters, gate: Object, terms: Terms) -> Asked:
        admitted = self.admit(body, gate, terms)
        inputs = self._inputs(admitted.read)
        query = Query(parameters.get("model", self.model), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def _inputs(self, read: dict[str, Json]) -> Sequence[Json]:
        return texts_or_tokens(read.get("inputs"), "inputs")

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message, "error_type": _error_type(refusal.status)})


def _error_type(status: int) -> str:
    if status == 429:
        return "overloaded"
    return "validation" if status < 500 else "backend"


class TeiEmbed(_Tei, frozen=True, tag="tei_embed"):
    """POST /embed: ``[[...], ...]``."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _EMBED, terms)

    def tree(self) -> Node:
        return Gathered(Items(VECTOR, each=True))


class TeiEmbedAll(_Tei, frozen=True, tag="tei_embed_all"):
    """POST /embed_all: ``[[[...], ...], ...]``, a vector for each token."""

    holds: Literal["tensor", "embedding"] = "tensor"
    """What they are: vectors that mutators understand, or the model's hidden states."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _EMBED_ALL, terms)

    def tree(self) -> Node:
        return Items(Items(vectors(self.holds)), each=True)


class TeiEmbedSparse(_Tei, frozen=True, tag="tei_embed_sparse"):
    """POST /embed_sparse: ``[[{"index", "value"}, ...], ...]``."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _EMBED_ALL, terms)

    def tree(self) -> Node:
        return Items(SPARSE, each=True)


class TeiPredict(_Tei, frozen=True, tag="tei_predict"):
    """POST /predict: ``[{"score", "label"}, ...]``, or an array of these for a batch."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _PREDICT, terms)

    def _inputs(self, read: dict[str, Json]) -> Sequence[Json]:
        """A text or a pair of texts is one; an array of arrays of one or two texts is a batch."""
        inputs = read.get("inputs")
        if isinstance(inputs, str) or _is_sequence(inputs):
            return [inputs]
        batch = some(inputs, "inputs", list)
        require(all(map(_is_sequence, batch)), "'inputs' must hold texts, or pairs of texts.")
        return batch

    def tree(self) -> Node:
        return Rows(ScoredLabels(), each=True)


def _is_sequence(value: Json) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= 2
        and all(isinstance(text, str) for text in value)
    )


class TeiRerank(_Tei, frozen=True, tag="tei_rerank"):
    """POST /rerank: ``[{"index", "score", "text"}, ...]``."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _RERANK, terms)

    def _inputs(self, read: dict[str, Json]) -> Sequence[Json]:
        require(isinstance(read.get("query"), str), "'query' must be a string.")
        return Pairs(read["query"], some(read.get("texts"), "texts", str))

    def tree(self) -> Node:
        rank = Fields({"index": Keep(), "score": SCORE, "text": Opaque("text")})
        return Items(Numbered(rank))


class TeiSimilarity(_Tei, frozen=True, tag="tei_similarity"):
    """POST /similarity: ``[...]``, a number for each sentence."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return self._read(body, parameters, _SIMILARITY, terms)

    def _inputs(self, read: dict[str, Json]) -> Sequence[Json]:
        match read.get("inputs"):
            case {"source_sentence": str(source), "sentences": sentences}:
                return Pairs(source, some(sentences, "sentences", str))
            case _:
                raise ClientError("'inputs' must hold 'source_sentence' and 'sentences'.")

    def tree(self) -> Node:
        return Items(SCORE, each=True)
