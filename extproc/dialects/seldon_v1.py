"""Seldon Core v1 (POST /api/v1.0/predictions), the protocol named ``seldon``.

A request and an answer hold ``data``, with the names of its columns and its rows as ``ndarray`` or
flat in a ``tensor``; ``output`` says what a row holds.  Source: Seldon Core, "Internal Microservice
API", ``SeldonMessage``.  ``meta``, which tells the path through the graph, tags and metrics, never
passes; ``strData``, ``jsonData`` and ``binData`` are whatever a model makes of them: a route with
those speaks ``generic``.

The same inference has other names, each denied unless it is routed: ``/seldon/{namespace}/{name}``
before the path, ``/predict`` and ``/api/v0.1/predictions``, gRPC, ``/explain``, and the components'
own ``/transform-output`` and ``/aggregate``.  ``/api/v1.0/feedback`` lets a caller train routers.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Final

import orjson

from extproc.dialects.cell import CellKind, cell, column, flat, rows
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fields, Gate, Json, Node, Rewrite
from extproc.dialects.tabular import rows_of
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import Query
from extproc.refusal import Refusal

_TENSOR: Final = Object(dict.fromkeys(("shape", "values"), PASS))
_GATE: Final = Object({"data": Object({"names": PASS, "ndarray": PASS, "tensor": _TENSOR})})
_DIMENSIONS: Final = 32


class SeldonV1(JsonDialect, frozen=True, tag="seldon_v1"):
    """Predictions of a Seldon deployment."""

    output: CellKind = "tensor"
    """What a row of the answer holds."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = _inputs(admitted.read.get("data") or {})
        query = Query(parameters.get("model", ""), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        kind = self.output
        data = {
            "names": cell("label"),
            "ndarray": column(kind),
            "tensor": Gate(kind, _Tensor(kind)),
        }
        return Fields({"data": Fields(data)})

    def positional(self) -> bool:
        return self.output == "probabilities"

    def error(self, refusal: Refusal) -> bytes:
        status = {"code": refusal.status, "info": refusal.message, "reason": refusal.code}
        return orjson.dumps({"status": {**status, "status": "FAILURE"}})


def _inputs(data: dict[str, Any]) -> list[Any]:
    """The rows; a tensor of one dimension is one."""
    tensor, rows = data.get("tensor"), data.get("ndarray")
    require((tensor is None) is not (rows is None), "Give 'data.ndarray' or 'data.tensor'.")
    if tensor is None:
        return rows_of(rows, "data.ndarray")
    match tensor:
        case {"shape": [int(batch), *_], "values": list(values)} if 0 < batch <= len(values):
            width = len(values) // batch
            return [values[at * width : (at + 1) * width] for at in range(batch)]
        case _:
            raise ClientError("'data.tensor' must hold a shape and as many values.")


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Rows one behind the other, and the shape that tells them apart."""

    kind: CellKind

    GATHERS: ClassVar = True

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        shape, values = _parts(value, place)
        width = shape[-1] if shape else 1
        table = [values[at : at + width] for at in range(0, len(values), width)] if width else []
        after = rows(self.kind, each=len(shape) == 2).rewrite(table, run, place)
        if after is table and len(value) == 2:
            return value
        if len(after) != len(table):
            return run.drop(place)  # one row was withheld: the shape has no word for that
        for _ in range(len(value) - 2):
            run.drop(f"{place}.*")
        shape = [*shape[:-1], len(after[0])] if table and shape else shape
        return {"shape": shape, "values": flat(after)}


def _parts(value: Json, place: str) -> tuple[list[int], list[Json]]:
    match value:
        case {"shape": list(shape), "values": list(values)} if (
            len(shape) <= _DIMENSIONS
            and all(type(size) is int and size >= 0 for size in shape)
            and prod(shape) == len(values)
        ):
            return shape, values
        case _:
            raise UpstreamError(f"{place} is not a tensor that fills its shape")
