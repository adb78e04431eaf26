"""TorchServe's inference API (POST /predictions/{model}, /predictions/{model}/{version}).

Its image and text classifiers answer an object whose keys are the classes; of a batch, an array of
those.  Other handlers answer what they like: ``outputs`` says what the fields of such an object
hold, ``output`` what numbers without a name do.  Source: TorchServe, "Inference API" and "Default
handlers".  A body is JSON of known fields, or one image, known by its first bytes: as handlers
parse JSON whatever it is called, JSON under another name does not pass.

The same inference has other names, each denied unless it is routed: ``/explanations/{model}``,
whose attributions tell far more than a prediction, ``/v1/models/{model}:predict`` and
``/v2/models/{model}/infer`` of its KServe envelopes (dialects of their own), ``/wfpredict/{name}``
of workflows, and gRPC.  The management API on port 8081 hands out the model itself.
"""

from typing import Any, ClassVar, Final

import orjson

from extproc.dialects.cell import cell
from extproc.dialects.dialect import JSON, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.ranking import MEMBERS
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Either, Items, Node
from extproc.dialects.tabular import TabularDialect, rows_of
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(dict.fromkeys(("data", "body", "instances"), PASS))
_IMAGES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")
_TYPES: Final = {
    400: "BadRequestException",
    404: "ModelNotFoundException",
    405: "MethodNotAllowedException",
    503: "ServiceUnavailableException",
}
_CLIENTS: Final = "BadRequestException"
_SERVERS: Final = "InternalServerException"


class TorchServe(TabularDialect, frozen=True, tag="torchserve"):
    """Predictions of TorchServe's handlers."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset(
        {JSON, "application/octet-stream", "image/jpeg", "image/png"}
    )
    HEADERS: ClassVar[tuple[str, ...]] = ("content-type",)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        model = parameters.get("model", "")
        media_type = parameters.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type != JSON:
            require(body.startswith(_IMAGES), "The request body is not an image.")
            return Asked(Query(model, inputs=1), body, (body,))
        admitted = self.admit(body, _GATE, terms)
        inputs = _inputs(admitted.read)
        return Asked(Query(model, len(inputs)), admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        one = self.named() if self.outputs else MEMBERS
        unnamed = cell(self.output)
        return Either(one, Items(Either(one, unnamed, unnamed), each=True), unnamed)

    def error(self, refusal: Refusal) -> bytes:
        kind = _TYPES.get(refusal.status, _CLIENTS if refusal.status < 500 else _SERVERS)
        return orjson.dumps({"code": refusal.status, "type": kind, "message": refusal.message})


def _inputs(read: dict[str, Any]) -> list[Any]:
    if read.get("instances") is not None:
        return rows_of(read["instances"], "instances")
    return [read]
