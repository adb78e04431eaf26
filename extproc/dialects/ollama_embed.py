"""Ollama's embeddings (POST /api/embed).

Source: Ollama API reference, "Generate embeddings".
"""

from typing import Final

from extproc.dialects.dialect import Parameters
from extproc.dialects.gate import PASS, Object, Taking, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.ollama import COSTS, OPTIONS, OllamaDialect
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fault, Fields, Items, Json, Leaf, ModelName, Node
from extproc.dialects.vectors import embedding
from extproc.errors import ClientError
from extproc.prediction import Query

_GATE: Final = Object(
    {
        **dict.fromkeys(("model", "input", "truncate", "dimensions"), PASS),
        "options": OPTIONS,
        "keep_alive": Taking(),
    }
)


class OllamaEmbed(OllamaDialect, frozen=True, tag="ollama_embed"):
    """Ollama's embeddings."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        model = admitted.read.get("model")
        require(isinstance(model, str) and model, "'model' must be a name.")
        inputs = _inputs(admitted.read.get("input"))
        query = Query(str(model), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def tree(self) -> Node:
        return _ANSWER


def _inputs(value: Json) -> list[Json]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    raise ClientError("'input' must be a string or an array of strings.")


_ANSWER: Final = Fields(
    {
        "model": ModelName(),
        # Clients want an array here: without its kind it is an empty one.
        "embeddings": Gathered(Items(Leaf("embedding", embedding), each=True)),
        **COSTS,
        "error": Fault(),
    }
)
