"""TensorFlow's TensorProto, as far as model servers answer with it.

Rule: a tensor is read from the one field that its type says; what stands in another does not pass.

Source: TensorFlow, tensor.proto, tensor_shape.proto, types.proto.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from extproc.dialects.answers import Steps
from extproc.dialects.batch import Input
from extproc.dialects.protobuf import Field, Form, Message, Schema, count, numbers, packed, signed
from extproc.dialects.shape import Rewrite
from extproc.dialects.tensor import (
    BF16,
    DIMENSIONS,
    STRINGS,
    TensorKind,
    check_floats,
    check_labels,
    names,
    passing,
    passing_whole,
    sized,
)
from extproc.errors import Malformed

TENSOR: Final[Schema] = {
    1: Field("dtype", Form.VARINT),
    2: Field(
        "tensor_shape",
        {
            2: Field("dim", {1: Field("size", Form.VARINT)}, repeated=True),
            3: Field("unknown_rank", Form.VARINT),
        },
    ),
    4: Field("tensor_content", Form.BYTES),
    5: Field("float_val", Form.FIXED32, repeated=True),
    6: Field("double_val", Form.FIXED64, repeated=True),
    7: Field("int_val", Form.VARINT, repeated=True),
    8: Field("string_val", Form.BYTES, repeated=True),
    10: Field("int64_val", Form.VARINT, repeated=True),
    11: Field("bool_val", Form.VARINT, repeated=True),
    13: Field("half_val", Form.VARINT, repeated=True),
    16: Field("uint32_val", Form.VARINT, repeated=True),
    17: Field("uint64_val", Form.VARINT, repeated=True),
}
_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    1: ("FP32", "float_val"),
    2: ("FP64", "double_val"),
    3: ("INT32", "int_val"),
    4: ("UINT8", "int_val"),
    5: ("INT16", "int_val"),
    6: ("INT8", "int_val"),
    7: (STRINGS, "string_val"),
    9: ("INT64", "int64_val"),
    10: ("BOOL", "bool_val"),
    14: (BF16, "half_val"),
    17: ("UINT16", "int_val"),
    19: ("FP16", "half_val"),
    22: ("UINT32", "uint32_val"),
    23: ("UINT64", "uint64_val"),
}
"""KServe's name of a DataType, and the field that holds its values."""
_VALUES: Final = frozenset(field for _, field in _TYPES.values()) | {"tensor_content"}


def shape_of(tensor: Message) -> list[int]:
    """Raise Malformed where it is not known, or none."""
    shape = tensor.get("tensor_shape", {})
    sizes = [signed(dim.get("size", 0)) for dim in shape.get("dim", [])]
    if shape.get("unknown_rank") or not sized(sizes):
        raise Malformed(f"a tensor has no shape of at most {DIMENSIONS} sizes")
    return sizes


def as_input(name: str, tensor: Message) -> Input:
    """A tensor that is asked about."""
    datatype, field = _type(tensor)
    shape = shape_of(tensor)
    if "tensor_content" in tensor:
        return Input(name, datatype, shape, tensor["tensor_content"])
    values = tensor.get(field, [] if datatype == STRINGS else b"")
    if datatype == STRINGS:
        return Input(name, datatype, shape, list(names(values)))
    if field in {"float_val", "double_val"}:
        return Input(name, datatype, shape, values)
    if field == "half_val":
        return Input(name, datatype, shape, numbers(values).astype("<u2").tobytes())
    return Input(name, "INT64", shape, numbers(values).astype("<i8").tobytes())


def reduced_tensor(
    tensor: Message, kind: TensorKind, run: Rewrite, place: str
) -> Steps[Message | None]:
    """The tensor as it may pass; None where it is dropped.

    Raise Malformed or UpstreamError where it is not what it says, or not what was declared.
    """
    datatype, field = _type(tensor)
    shape = shape_of(tensor)
    if "tensor_content" in tensor and datatype != STRINGS:
        field = "tensor_content"
    for _ in (tensor.keys() & _VALUES) - {field}:
        run.drop(f"{place}.*")
    kept = {name: tensor[name] for name in tensor if name not in _VALUES}
    if field not in tensor:
        # Nothing, or as many of nothing as the shape says: TensorFlow fills it up.
        return kept
    after = yield from _values(tensor[field], datatype, field, shape, kind, run, place)
    if after is None:
        return None
    kept[field], sizes = after
    if sizes != shape:
        kept["tensor_shape"] = {"dim": [{"size": size} for size in sizes]}
    return kept


def _values(  # noqa: PLR0913, PLR0917 - one tensor
    values: Any,
    datatype: str,
    field: str,
    shape: list[int],
    kind: TensorKind,
    run: Rewrite,
    place: str,
) -> Steps[tuple[Any, list[int]] | None]:
    if field in {"tensor_content", "float_val", "double_val"}:
        return (yield from passing(values, datatype, shape, kind, run, place))
    if field == "half_val":
        halves = memoryview(numbers(values).astype("<u2").tobytes())
        after = yield from passing(halves, datatype, shape, kind, run, place)
        return after and (packed(np.frombuffer(after[0], "<u2")), after[1])
    if field != "string_val":
        count(Form.VARINT, values)
    if kind == "label":
        check_labels(datatype, names(values) if datatype == STRINGS else (), place)
    elif kind != "tensor":
        check_floats(kind, datatype, place)
    passing_whole(values, kind, shape, run.told)
    return values, shape


def _type(tensor: Message) -> tuple[str, str]:
    found = _TYPES.get(tensor.get("dtype", 0))
    if found is None:
        raise Malformed("a tensor is of an unknown type")
    return found
