"""MLflow's scoring server (POST /invocations).

A request holds one of ``dataframe_split``, ``dataframe_records``, ``instances`` and ``inputs``, or
is CSV with a line of names; the answer holds ``predictions``: rows, or columns where the model
answers those.  Source: MLflow, "Deploy MLflow Model as a Local Inference Server".  ``params`` are
refused unless the route allows them: ``predict_method`` turns a classifier's labels into its
probabilities.

The same inference has other names, each denied unless it is routed: SageMaker's
``/endpoints/{name}/invocations``, which serves the same container, ``/serving-endpoints/{name}/
invocations`` of Databricks, and its ``/v1/chat/completions``.  ``/version`` and ``/ping`` tell what
runs.
"""

from typing import Any, ClassVar, Final

import orjson

from extproc.dialects.cell import cell
from extproc.dialects.csv_table import read_inputs
from extproc.dialects.dialect import JSON, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Either, Fault, Fields, Node
from extproc.dialects.tabular import TabularDialect, rows_of, transposed
from extproc.prediction import Query
from extproc.refusal import Refusal

_SPLIT: Final = Object(dict.fromkeys(("columns", "data", "index"), PASS))
_GATE: Final = Object(
    {
        "dataframe_split": _SPLIT,
        **dict.fromkeys(("dataframe_records", "instances", "inputs"), PASS),
    }
)
_CODES: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class MLflow(TabularDialect, frozen=True, tag="mlflow"):
    """Predictions of an MLflow model."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON, "text/csv"})
    HEADERS: ClassVar[tuple[str, ...]] = ("content-type",)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        model = parameters.get("model", "")
        media_type = parameters.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type != JSON:
            inputs = read_inputs(body, headed=True)
            return Asked(Query(model, len(inputs)), body, inputs)
        admitted = self.admit(body, _GATE, terms)
        inputs = _inputs(admitted.read)
        return Asked(Query(model, len(inputs)), admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return Fields(
            {
                "predictions": Either(self.by_column().object, self.by_row(), cell(self.output)),
                "error_code": Fault(),
            }
        )

    def error(self, refusal: Refusal) -> bytes:
        code = _CODES.get(
            refusal.status, "BAD_REQUEST" if refusal.status < 500 else "INTERNAL_ERROR"
        )
        return orjson.dumps({"error_code": code, "message": refusal.message})


def _inputs(read: dict[str, Any]) -> list[Any]:
    given = [name for name in _GATE.fields if read.get(name) is not None]
    require(len(given) == 1, f"Give one of {', '.join(_GATE.fields)}.")
    name = given[0]
    match name:
        case "dataframe_split":
            return rows_of(read[name].get("data"), "dataframe_split.data")
        case "inputs":
            return transposed(read[name], name)
        case _:
            return rows_of(read[name], name)
