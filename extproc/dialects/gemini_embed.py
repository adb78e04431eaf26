"""Gemini's embeddings (POST /v1beta/models/{model}:embedContent and :batchEmbedContents).

Source: Gemini API reference, "Embeddings".  One request asks for one content or for a batch of
requests; each of these may name the model once more, which must be the one of the path.
"""

from typing import Any, Final

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

_ASKING: Final = dict.fromkeys(
    ("model", "content", "taskType", "title", "outputDimensionality"), PASS
)
_GATE: Final = Object({**_ASKING, "requests": Each(Object(_ASKING))})


class GeminiEmbed(JsonDialect, frozen=True, tag="gemini_embed"):
    """Gemini's embedContent, and batchEmbedContents."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        model = parameters.get("model", "")
        inputs = _inputs(admitted.read, model)
        return Asked(Query(model, len(inputs)), admitted.body, inputs, {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return google_error(refusal)


def _inputs(read: dict[str, Any], model: str) -> list[Any]:
    """The contents, one vector each."""
    batch = read.get("requests")
    require(
        (batch is None) is (read.get("content") is not None),
        "Either 'content' or 'requests' must be given.",
    )
    asking = [read] if batch is None else batch
    require(asking, "'requests' must not be empty.")
    require(all(_asks(each, model) for each in (read, *asking)), "'model' must be the path's.")
    contents = [each.get("content") for each in asking]
    require(all(isinstance(each, dict) for each in contents), "'content' must be an object.")
    return contents


def _asks(asking: Any, model: str) -> bool:
    return isinstance(asking, dict) and asking.get("model") in (None, f"models/{model}")


_EMBEDDING: Final = Fields({"values": Leaf("embedding", embedding)})
_COUNTS: Final = Fields(
    {
        "promptTokenCount": Keep(),
        "totalTokenCount": Keep(),
        "promptTokensDetails": Gate(
            "usage_detail", Items(Fields(dict.fromkeys(("modality", "tokenCount"), Keep())))
        ),
    }
)
_ANSWER: Final = Fields(
    {
        "embedding": Gathered(_EMBEDDING),
        "embeddings": Gathered(Items(_EMBEDDING, each=True)),
        "usageMetadata": Counted(Gate("usage", _COUNTS), input=("promptTokenCount",)),
        "modelVersion": Opaque("identity"),
        "error": Fault(),
    }
)
