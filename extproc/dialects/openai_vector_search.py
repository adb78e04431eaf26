"""OpenAI's search of a vector store (POST /v1/vector_stores/{id}/search).

Rule: the results stand in the server's order, which is what was asked for; how near each is to the
question is a ``score``.  ``score_threshold`` never goes on: moved up and down, it tells a score to
any number of digits.  ``attributes`` are the operator's own notes about a file and pass where the
route allows them (``data.attributes``); ``next_page`` says nothing here that a request could use.
No request names a model: the route does, or its path, which may call the store ``{model}``.

Source: OpenAI API reference, "Vector stores", "Search vector store".
"""

from typing import Final

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.inputs import some
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_request import RANKING, check_count
from extproc.dialects.openai_scores import SCORE
from extproc.dialects.request import Asked
from extproc.dialects.shape import Either, Fault, Fields, Gate, Items, Json, Keep, Node, Opaque
from extproc.prediction import Query
from extproc.refusal import Refusal

MOST_RESULTS: Final = 50
"""The API's own bound."""
_GATE: Final = Object(
    {
        **dict.fromkeys(("query", "filters", "max_num_results", "rewrite_query"), PASS),
        "ranking_options": RANKING,
    }
)


class OpenAIVectorSearch(JsonDialect, frozen=True, tag="openai_vector_search"):
    """Searches of a vector store."""

    model: str = ""
    """What the store is called in the policy, where the path does not name it."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = _queries(admitted.read.get("query"))
        check_count(admitted.read, "max_num_results", 1, MOST_RESULTS)
        query = Query(parameters.get("model", self.model), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _queries(value: Json) -> list[Json]:
    return [value] if isinstance(value, str) else some(value, "query", str)


_RESULT: Final = Fields(
    {
        "file_id": Keep(),
        "filename": Opaque("text"),
        "score": SCORE,
        "content": Gate("text", Items(Fields({"type": Keep(), "text": Keep()}))),
    }
)
_ANSWER: Final = Fields(
    {
        **dict.fromkeys(("object", "has_more"), Keep()),
        # What a model made of the question, where it was asked to.
        "search_query": Gate("text", Either(Fields({}), Items(Keep()), Keep())),
        "data": Items(_RESULT),
        "error": Fault(),
    }
)
