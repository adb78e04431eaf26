"""KServe v2, the Open Inference Protocol over REST (POST /v2/models/{model}/infer), in JSON.

Source: KServe "Open Inference Protocol (V2)" and Triton's extensions to it.  Which output holds
what is the model's own: the route declares it, and an output that is not declared is a ``tensor``,
which only a tier that names ``tensor`` lets through.  Binary tensors are neither asked for nor
read here.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from math import prod
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import orjson

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    Edit,
    Fault,
    Fields,
    Items,
    Json,
    Keep,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import Embedding, Kind, Prediction, Probabilities, Query, Score
from extproc.refusal import Refusal

_GATE: Final = Object(dict.fromkeys(("id", "inputs", "outputs"), PASS))
_TENSOR_FIELDS: Final = frozenset({"name", "shape", "datatype", "data"})
_FLOATS: Final = frozenset({"FP16", "FP32", "FP64", "BF16"})
_INTEGERS: Final = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_ELEMENTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_FLOATS, list[float]),
    **dict.fromkeys(_INTEGERS, list[int]),
    "BOOL": list[bool],
    "BYTES": list[str],
}
_DIMENSIONS: Final = 32
# Triton's classification extension hides scores in strings: "0.93:281:tabby".
_SCORED_LABEL: Final = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?:\d+(:|$)", re.IGNORECASE)

OutputKind = Literal["probabilities", "score", "embedding", "label"]
_AnyKind = OutputKind | Literal["tensor"]


class KServeV2(JsonDialect, frozen=True, tag="kserve_v2"):
    """The Open Inference Protocol."""

    outputs: dict[str, OutputKind] = msgspec.field(default_factory=dict)
    """What each output tensor holds, by its name."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        read, fields = admitted.read, admitted.fields
        if read.get("outputs") is not None:
            fields = {**fields, "outputs": self._asked_outputs(read["outputs"], terms.granted)}
        query = Query(parameters.get("model", ""), _count(read.get("inputs")))
        sent = msgspec.structs.replace(admitted, fields=fields).body
        return Asked(query, sent, (read["inputs"],), {}, admitted.changed)

    def _asked_outputs(self, asked: Json, granted: Collection[Kind]) -> list[dict[str, str]]:
        """The asked outputs that may be answered, by name alone.

        Parameters go: ``classification`` hides scores in strings, ``binary_data`` the tensor.
        """
        require(
            isinstance(asked, list) and all(isinstance(item, dict) for item in asked),
            "'outputs' must be an array of objects.",
        )
        kept = [
            {"name": item["name"]}
            for item in asked
            if isinstance(item.get("name"), str)
            and self.outputs.get(item["name"], "tensor") in granted
        ]
        require(kept, "None of the requested outputs is available.")
        return kept

    def tree(self) -> Node:
        return Fields(
            {
                "model_name": ModelName(),
                "model_version": Opaque("identity"),
                "id": Keep(),
                "outputs": Items(_Output(self.outputs)),
                "error": Fault(),
            }
        )

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


def _count(inputs: Json) -> int:
    """The batch size: the largest first dimension, so that no input hides behind a smaller one."""
    require(isinstance(inputs, list) and inputs, "'inputs' must be a non-empty array.")
    return max(map(_batch, inputs))


def _batch(tensor: Json) -> int:
    match tensor:
        case {"shape": [batch, *_]} if type(batch) is int and batch >= 0:
            # Parameters of an input point to binary data and to shared memory.
            unknown = min(tensor.keys() - _TENSOR_FIELDS, default=None)
            require(unknown is None, f"Unrecognized input field: {unknown!r:.66}.")
            return batch
        case _:
            raise ClientError("'inputs' must be an array of tensors with a shape.")


@dataclass(frozen=True, slots=True)
class _Output:
    """One output tensor: its name decides its kind, its kind what may pass."""

    kinds: Mapping[str, _AnyKind]

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        tensor = _Tensor.read(value, place)
        kind = self.kinds.get(tensor.name, "tensor")
        if kind not in run.edits:
            return run.drop(f"{place}({kind})")
        passing = tensor.passing(kind, run.edit(kind))
        if passing is None:
            return run.drop(f"{place}({kind})")
        for _ in value.keys() - _TENSOR_FIELDS:
            run.drop(f"{place}.*")
        if passing is tensor and len(value) == len(_TENSOR_FIELDS):
            return value
        known = {name: value[name] for name in value if name in _TENSOR_FIELDS}
        return {**known, "shape": passing.shape, "data": passing.data}


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    place: str

    @classmethod
    def read(cls, value: Json, place: str) -> "_Tensor":
        match value:
            case {
                "name": str(name),
                "shape": list(shape),
                "datatype": str(datatype),
                "data": list(data),
            } if len(shape) <= _DIMENSIONS and all(type(n) is int and n >= 0 for n in shape):
                return cls(name, shape, datatype, data, place)
            case _:
                raise UpstreamError(f"{place} is not a tensor with name, shape, datatype and data")

    def passing(self, kind: _AnyKind, edit: Edit) -> "_Tensor | None":
        """The tensor as it may pass: itself when nothing changed, None when dropped."""
        elements = self._elements()
        if kind == "tensor" or not elements:
            return self
        if kind == "label":
            return self._labels(elements)
        return self._edited(kind, self._rows(kind, elements), edit)

    def _elements(self) -> list[Any]:
        """The data, flat: as many as the shape says, each of the type the datatype says."""
        try:
            flat = _flat(self.data, len(self.shape))
            msgspec.convert(flat, _ELEMENTS[self.datatype])
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise UpstreamError(f"{self.place} does not hold what its datatype says") from error
        if len(flat) != prod(self.shape):
            raise UpstreamError(f"{self.place} does not fill its shape")
        return flat

    def _labels(self, elements: list[Any]) -> "_Tensor":
        """Class indices or names; never strings with a score inside."""
        if self.datatype in _FLOATS:
            raise UpstreamError(f"{self.place} is declared label and holds numbers with fractions")
        if any(isinstance(item, str) and _SCORED_LABEL.match(item) for item in elements):
            raise UpstreamError(f"{self.place} hides scores in its labels")
        return self

    def _rows(self, kind: str, elements: list[Any]) -> npt.NDArray[np.float64]:
        """Shape (rows, width): one prediction a row; a score is a row of one."""
        if self.datatype not in _FLOATS:
            raise UpstreamError(f"{self.place} is declared {kind} and holds {self.datatype}")
        width = 1 if kind == "score" or not self.shape else self.shape[-1]
        rows = np.array(elements, np.float64).reshape(-1, width)
        if kind == "probabilities" and not _are_probabilities(rows):
            raise UpstreamError(f"{self.place} is declared probabilities and holds other numbers")
        return rows

    def _edited(self, kind: str, rows: npt.NDArray[np.float64], edit: Edit) -> "_Tensor | None":
        before = [_prediction(kind, row) for row in rows]
        after = [edit(prediction) for prediction in before]
        if all(new is old for new, old in zip(after, before, strict=True)):
            return self
        if any(prediction is None for prediction in after):
            return None
        return self._holding(np.array([_values(prediction) for prediction in after]))

    def _holding(self, rows: npt.NDArray[np.float64]) -> "_Tensor":
        """The tensor with other rows, which may be shorter; flat data stays flat."""
        shape = self.shape
        if rows.size != prod(shape):
            shape = [*shape[:-1], rows.shape[1]]
        nested = isinstance(self.data[0], list)
        return replace(self, shape=shape, data=rows.reshape(shape if nested else -1).tolist())


def _flat(data: list[Any], dimensions: int) -> list[Any]:
    """Raise TypeError where arrays and scalars stand side by side."""
    for _ in range(1, dimensions):
        if data and isinstance(data[0], list):
            data = list(chain.from_iterable(data))
    return data


def _are_probabilities(rows: npt.NDArray[np.float64]) -> bool:
    # float32 models miss a sum of 1 by a few thousandths at worst.
    return bool((rows >= 0).all() and (rows <= 1.001).all() and (rows.sum(axis=1) <= 1.01).all())


def _prediction(kind: str, row: npt.NDArray[np.float64]) -> Prediction:
    match kind:
        case "probabilities":
            return Probabilities(row)
        case "embedding":
            return Embedding(row)
        case _:
            return Score(float(row[0]))


def _values(prediction: Prediction | None) -> Any:
    match prediction:
        case Probabilities(values) | Embedding(values):
            return values
        case Score(value):
            return [value]
        case _:
            raise TypeError("a mutator changed the kind of a tensor")
