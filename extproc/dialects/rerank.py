"""Rankings of documents (POST /rerank, /v1/rerank, /v2/rerank), as Cohere, Jina and vLLM speak.

Rule: the order of the results is what was asked for and stays the server's; their scores are of
the kind ``score``, their documents the caller's own texts, which come back as ``text``.

Sources: Cohere and Jina API references, "Rerank"; vLLM's online serving documentation.
"""

from dataclasses import dataclass
from typing import Final

from extproc.dialects.cohere import META, cohere_error
from extproc.dialects.confidences import SCORE
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Only, Terms
from extproc.dialects.inputs import Pairs, some
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    ModelName,
    Node,
    Numbered,
    Rewrite,
)
from extproc.dialects.vllm import COMMON, USAGE
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {
        **COMMON,
        **dict.fromkeys(
            (
                "query",
                "documents",
                "top_n",
                "return_documents",
                "max_tokens_per_doc",
                "max_chunks_per_doc",
                "rank_fields",
                "truncation",
            ),
            PASS,
        ),
        # Jina gives the vectors behind the scores.
        "return_embeddings": Only((None, False)),
    }
)


class Rerank(JsonDialect, frozen=True, tag="rerank"):
    """Rankings."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        query, documents = admitted.read.get("query"), admitted.read.get("documents")
        require(isinstance(query, str | dict), "'query' must be a string.")
        pairs = Pairs(query, some(documents, "documents", str, dict))
        asked = Query(admitted.model, len(pairs))
        return Asked(asked, admitted.body, pairs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return cohere_error(refusal)


@dataclass(frozen=True, slots=True)
class _Document:
    """A text, or an object that holds it."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, str):
            return _TEXT.rewrite(value, run, place)
        run.told.pass_whole("text", value)
        return value


_TEXT: Final = Fields({"text": Keep()})
_RESULT: Final = Fields(
    {"index": Keep(), "relevance_score": SCORE, "document": Gate("text", _Document())}
)
_ANSWER: Final = Fields(
    {
        **dict.fromkeys(("id", "object"), Keep()),
        "model": ModelName(),
        "results": Items(Numbered(_RESULT)),
        "usage": USAGE,
        "meta": META,
        "error": Fault(),
        # Of Cohere's errors; an answer has none.
        "message": Fault(),
    }
)
