"""TensorProto, written and read by protobuf's own classes."""

from typing import Any

import numpy as np
import pytest

from extproc.dialects.answers import at_once
from extproc.dialects.protobuf import decode, encode
from extproc.dialects.shape import Rewrite
from extproc.dialects.tensor import TensorKind
from extproc.dialects.tensorflow_tensor import TENSOR, as_input, reduced_tensor, shape_of
from extproc.errors import Malformed, UpstreamError
from extproc.mutators import LabelOnly, Truncate
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.protos import message

Tensor = message("tensorflow.TensorProto")
TYPES: dict[str, tuple[int, str, list[Any]]] = {
    "FP32": (1, "float_val", [0.5, 0.25]),
    "FP64": (2, "double_val", [0.5, 0.25]),
    "INT32": (3, "int_val", [-1, 300]),
    "UINT8": (4, "int_val", [1, 255]),
    "INT16": (5, "int_val", [-1, 300]),
    "INT8": (6, "int_val", [-1, 100]),
    "BYTES": (7, "string_val", [b"a", b""]),
    "INT64": (9, "int64_val", [-1, 2**40]),
    "BOOL": (10, "bool_val", [True, False]),
    "BF16": (14, "half_val", [0x3F00, 0x3E80]),
    "UINT16": (17, "int_val", [1, 300]),
    "FP16": (19, "half_val", [0x3800, 0x3400]),
    "UINT32": (22, "uint32_val", [1, 2**32 - 1]),
    "UINT64": (23, "uint64_val", [1, 2**64 - 1]),
}
FLOATS = ["FP16", "BF16", "FP32", "FP64"]
LABELS: Edits = tier({"probabilities": [LabelOnly()]})


def tensor(datatype: str, shape: list[int] | None = None, **more: Any) -> Any:
    number, field, values = TYPES[datatype]
    made = Tensor(dtype=number, **({} if more else {field: values}), **more)
    for size in [len(values)] if shape is None else shape:
        made.tensor_shape.dim.add(size=size)
    return made


def content(datatype: str, octets: bytes, shape: list[int]) -> Any:
    return tensor(datatype, shape, tensor_content=octets)


def parsed(made: Any) -> Any:
    return decode(made.SerializeToString(), TENSOR, lambda place: None)


def shown(made: Any, kind: TensorKind, edits: Edits = OPEN) -> tuple[Any, Rewrite]:
    run = Rewrite(edits, MODEL)
    left = at_once(reduced_tensor(parsed(made), kind, run, "p"))
    return None if left is None else Tensor.FromString(encode(left, TENSOR)), run


@pytest.mark.parametrize("datatype", TYPES)
def test_a_tensor_nobody_declared_is_untouched(datatype: str) -> None:
    made = tensor(datatype)
    left, run = shown(made, "tensor")
    assert (left, run.dropped) == (made, {})


@pytest.mark.parametrize("datatype", FLOATS)
def test_every_floating_type_is_reduced(datatype: str) -> None:
    one = {"FP16": 0x3C00, "BF16": 0x3F80}.get(datatype, 1)
    left, _ = shown(tensor(datatype), "probabilities", LABELS)
    assert list(getattr(left, TYPES[datatype][1])) == [one, 0]
    assert left.dtype == TYPES[datatype][0]
    left, _ = shown(tensor(datatype), "probabilities")
    assert left == tensor(datatype)


def test_content_is_reduced_where_it_stands() -> None:
    octets = np.array([0.5, 0.25], "<f4").tobytes()
    left, _ = shown(content("FP32", octets, [1, 2]), "probabilities", LABELS)
    assert left.tensor_content == np.array([1, 0], "<f4").tobytes()
    assert not left.float_val
    halves = np.array([0.5, 0.25], "<f2").tobytes()
    left, _ = shown(
        content("FP16", halves, [1, 2]), "embedding", tier({"embedding": [Truncate(dimensions=1)]})
    )
    assert left.tensor_content == halves[:2]
    assert [dim.size for dim in left.tensor_shape.dim] == [1, 1]


def test_values_in_other_fields_do_not_pass() -> None:
    made = tensor("FP32")
    made.double_val.append(31337)
    made.string_val.append(b"s3cret")
    left, run = shown(made, "tensor")
    assert (left, run.dropped) == (tensor("FP32"), {"p.*": 2})
    both = tensor("FP32")
    both.tensor_content = np.array([0.5, 0.25], "<f4").tobytes()
    left, run = shown(both, "tensor")
    assert (list(left.float_val), run.dropped) == ([], {"p.*": 1})
    strings = tensor("BYTES")
    strings.tensor_content = b"s3cret"
    left, run = shown(strings, "tensor")
    assert (left, run.dropped) == (tensor("BYTES"), {"p.*": 1})


def test_what_is_withheld_is_none() -> None:
    for datatype in ("FP32", "FP16"):
        assert (
            shown(tensor(datatype), "probabilities", {"probabilities": lambda *_: None})[0] is None
        )


@pytest.mark.parametrize("kind", ["tensor", "probabilities", "label"])
def test_a_tensor_without_values_has_none(kind: TensorKind) -> None:
    made = Tensor(dtype=1)
    made.tensor_shape.dim.add(size=0)
    assert shown(made, kind)[0] == made


@pytest.mark.parametrize("datatype", ["INT32", "INT64", "BOOL", "UINT64", "BYTES"])
def test_labels_pass(datatype: str) -> None:
    assert shown(tensor(datatype), "label")[0] == tensor(datatype)


@pytest.mark.parametrize(
    ("made", "kind", "why"),
    [
        (tensor("FP32"), "label", "fractions"),
        (tensor("BYTES", string_val=[b"0.9:1:cat"]), "label", "hides scores"),
        (tensor("BYTES"), "probabilities", "holds BYTES"),
        (tensor("INT32"), "score", "holds INT32"),
        (tensor("FP32", [3]), "tensor", "fill its shape"),
        (tensor("FP16", [3]), "tensor", "fill its shape"),
        (tensor("FP32", float_val=[31337, 0]), "probabilities", "declared probabilities"),
    ],
)
def test_a_tensor_that_is_not_what_was_declared_does_not_pass(
    made: Any, kind: TensorKind, why: str
) -> None:
    with pytest.raises(UpstreamError, match=why):
        shown(made, kind)


@pytest.mark.parametrize("number", [0, 8, 20, 31337])
def test_a_type_that_is_not_known_is_none(number: int) -> None:
    with pytest.raises(Malformed, match="unknown type"):
        shown(Tensor(dtype=number), "tensor")


def test_a_shape_is_known() -> None:
    assert shape_of(parsed(tensor("FP32", [2, 0, 3]))) == [2, 0, 3]
    assert shape_of(parsed(Tensor(dtype=1))) == []
    wrong = [tensor("FP32", [-1]), tensor("FP32", [1] * 33), tensor("FP32")]
    wrong[2].tensor_shape.unknown_rank = True
    for made in wrong:
        with pytest.raises(Malformed, match="has no shape"):
            shape_of(parsed(made))


@pytest.mark.parametrize("datatype", TYPES)
def test_what_is_asked_about_is_its_values(datatype: str) -> None:
    first, second = as_input("x", parsed(tensor(datatype))).rows(2)
    assert first != second
    values = TYPES[datatype][2][::-1]
    swapped = tensor(datatype, [2], **{TYPES[datatype][1]: values})
    assert as_input("x", parsed(swapped)).rows(2) == [second, first]


def test_content_and_values_are_asked_about_alike() -> None:
    octets = np.array([0.5, 0.25], "<f4").tobytes()
    by_content = as_input("x", parsed(content("FP32", octets, [2]))).rows(2)
    assert by_content == as_input("x", parsed(tensor("FP32"))).rows(2)
    assert as_input("x", parsed(Tensor(dtype=7))).data == []
    assert as_input("x", parsed(Tensor(dtype=1))).data == b""
