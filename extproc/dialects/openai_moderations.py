"""OpenAI moderations (POST /v1/moderations): which categories an input falls in, and how surely.

Source: OpenAI API reference, "Moderations".  What a category's number is, and why it is a score,
stands in openai_scores.py.
"""

from typing import Final

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_request import check_model
from extproc.dialects.openai_scores import MODERATED
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fault, Fields, Items, Json, Keep, ModelName, Node
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

DEFAULT_MODEL: Final = "omni-moderation-latest"
"""What the API takes where no model is named; a request without one goes on with this name."""
_GATE: Final = Object(dict.fromkeys(("model", "input"), PASS), {"model": DEFAULT_MODEL})


class OpenAIModerations(JsonDialect, frozen=True, tag="openai_moderations"):
    """Moderations."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        model = check_model(admitted.fields)
        inputs = _inputs(admitted.read.get("input"))
        query = Query(model, len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _inputs(value: Json) -> list[Json]:
    """One string, or parts of texts and images that are judged together, are one input."""
    if isinstance(value, str):
        return [value]
    require(isinstance(value, list) and value, "'input' must be a string or a non-empty array.")
    kinds = set(map(type, value))
    if kinds == {str}:
        return list(value)
    if kinds == {dict}:
        return [value]
    raise ClientError("'input' must hold strings alone, or parts alone.")


_ANSWER: Final = Fields(
    {
        "id": Keep(),
        "model": ModelName(),
        "results": Items(MODERATED, each=True),
        "error": Fault(),
    }
)
