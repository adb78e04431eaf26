"""Vertex AI's online prediction (POST .../endpoints/{model}:predict).

What a prediction is, is the model's own.  Known are AutoML's classifiers of images and text
(``displayNames``, ``confidences``) and of tables (``classes``, ``scores``), and its regressions
(``value`` and its bounds); where the route declares ``outputs`` or ``output`` those are read
instead.  Source: Vertex AI API reference, "Method: endpoints.predict"; "Interpret prediction
results".  Numbers of several classes that do not add up to 1 at most are no probabilities: declare
them as ``score``.  ``confidenceThreshold`` never goes on: moved up and down, it tells a confidence
to any number of digits.

The same inference has other names, each denied unless it is routed: ``:rawPredict`` and
``:streamRawPredict``, whose bodies are the container's own, ``:directPredict``,
``:serverStreamingPredict``, and ``:explain``, whose attributions tell more than a prediction.
"""

from typing import Final

import orjson

from extproc.dialects.cell import cell
from extproc.dialects.dialect import Parameters
from extproc.dialects.gate import PASS, Granted, Object, Taking, Terms
from extproc.dialects.ranking import Columns, Having
from extproc.dialects.request import Asked
from extproc.dialects.shape import Either, Fault, Fields, Items, Node, Opaque
from extproc.dialects.tabular import TabularDialect, rows_of
from extproc.prediction import Query
from extproc.refusal import Refusal

_PARAMETERS: Final = Object(
    {"confidenceThreshold": Taking(), "maxPredictions": Granted("probabilities")}
)
_GATE: Final = Object({"instances": PASS, "parameters": _PARAMETERS})
_IDENTITY: Final = ("deployedModelId", "model", "modelDisplayName", "modelVersionId")
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class VertexPredict(TabularDialect, frozen=True, tag="vertex_predict"):
    """Predictions of AutoML models, and of models of one's own."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = rows_of(admitted.read.get("instances"), "instances")
        query = Query(parameters.get("model", ""), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        one = self.named() if self.outputs else _AUTOML
        row = Either(one, cell(self.output), cell(self.output))
        identity = dict.fromkeys(_IDENTITY, Opaque("identity"))
        return Fields({"predictions": self.rows(row), **identity, "error": Fault()})

    def error(self, refusal: Refusal) -> bytes:
        status = _STATUS.get(refusal.status, "INTERNAL")
        return orjson.dumps(
            {"error": {"code": refusal.status, "message": refusal.message, "status": status}}
        )


_OF_TABLE: Final = Columns("scores", ("classes",), {"classes": cell("label")})
_OF_MEDIA: Final = Columns(
    "confidences",
    ("displayNames", "ids"),
    {
        "displayNames": cell("label"),
        "ids": Items(Opaque("identity")),
        "sentiment": cell("label"),
        **dict.fromkeys(("value", "lower_bound", "upper_bound"), cell("score")),
    },
)
_AUTOML: Final = Having("classes", _OF_TABLE, _OF_MEDIA)
