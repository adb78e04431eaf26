"""Vertex AI's text embeddings (POST .../publishers/google/models/{model}:predict).

Source: Vertex AI reference, "Text embeddings API".  The verb ``predict`` serves every model there;
this dialect reads the answers of those that embed text.
"""

from typing import Final

from extproc.dialects.counted import Counted
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Each, Object, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.google_error import google_error
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fault, Fields, Gate, Items, Keep, Leaf, Node, Opaque
from extproc.dialects.vectors import embedding
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {
        "instances": Each(Object(dict.fromkeys(("content", "task_type", "title"), PASS))),
        "parameters": Object(dict.fromkeys(("autoTruncate", "outputDimensionality"), PASS)),
    }
)


class VertexEmbeddings(JsonDialect, frozen=True, tag="vertex_embeddings"):
    """Vertex AI's text embeddings."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        instances = admitted.read.get("instances") or ()
        require(instances, "'instances' must be a non-empty array.")
        inputs = [(each or {}).get("content") for each in instances]
        require(all(isinstance(each, str) for each in inputs), "'content' must be a string.")
        query = Query(parameters.get("model", ""), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return google_error(refusal)


_STATISTICS: Final = Fields(
    {"token_count": Counted(Opaque("usage"), input=(), added=True), "truncated": Keep()}
)
_PREDICTION: Final = Fields(
    {"embeddings": Fields({"values": Leaf("embedding", embedding), "statistics": _STATISTICS})}
)
_ANSWER: Final = Fields(
    {
        "predictions": Gathered(Items(_PREDICTION, each=True)),
        "metadata": Gate("usage", Fields({"billableCharacterCount": Keep()})),
        **dict.fromkeys(
            ("deployedModelId", "model", "modelDisplayName", "modelVersionId"), Opaque("identity")
        ),
        "error": Fault(),
    }
)
