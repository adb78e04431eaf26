"""TensorFlow Serving over REST, and KServe v1, which took its ``:predict`` over from it.

``:predict`` answers rows (``instances`` -> ``predictions``) or columns (``inputs`` ->
``outputs``), as the request has them; ``:classify`` and ``:regress`` answer ``results``.  Source:
TensorFlow Serving, "RESTful API"; KServe, "Data Plane: V1 Protocol".  Which output holds what is
the model's own: the route declares it (see tabular.py).  A signature is a way to ask for another
output, so only those pass that the route names.

The same inference has other names, each denied unless it is routed: ``/versions/{version}`` and
``/labels/{label}`` before the verb, the gRPC PredictionService, KServe's ``:explain``, which tells
more than a prediction, and ``/metadata``, which tells the signatures.
"""

from typing import Any, Final

import orjson

from extproc.dialects.cell import cell
from extproc.dialects.dialect import Parameters
from extproc.dialects.gate import PASS, Object, Only, Rule, Terms
from extproc.dialects.ranking import Pairs
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Either, Fault, Fields, Items, Node
from extproc.dialects.tabular import TabularDialect, rows_of, transposed
from extproc.prediction import Query
from extproc.refusal import Refusal

_INPUTS: Final = ("instances", "inputs", "examples")
_RULES: Final[dict[str, Rule]] = dict.fromkeys((*_INPUTS, "context"), PASS)


class TensorFlowREST(TabularDialect, frozen=True, tag="tensorflow_rest"):
    """``:predict``, ``:classify`` and ``:regress``."""

    signatures: tuple[str, ...] = ("serving_default",)
    """Those that may be asked for by name; a model's own default always may."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        gate = Object({**_RULES, "signature_name": Only((None, *self.signatures))})
        admitted = self.admit(body, gate, terms)
        inputs = _inputs(admitted.read)
        query = Query(parameters.get("model", ""), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        scores = cell("score")
        return Fields(
            {
                "predictions": self.by_row(),
                "outputs": self.by_column(),
                "results": Items(Either(Fields({}), Pairs(), scores), each=True),
                "error": Fault(),
            }
        )

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


def _inputs(read: dict[str, Any]) -> list[Any]:
    given = [name for name in _INPUTS if read.get(name) is not None]
    require(len(given) == 1, "Give one of 'instances', 'inputs' and 'examples'.")
    name = given[0]
    return transposed(read[name], name) if name == "inputs" else rows_of(read[name], name)
