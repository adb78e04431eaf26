import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.batch import Input
from extproc.errors import ClientError
from extproc.validation.tensors import TensorDomain, check_tensors

PIXELS = TensorDomain(datatype="FP32", shape=(-1, 2), min=0, max=16)


def refusal(tensor: Input, domain: TensorDomain) -> str | None:
    try:
        check_tensors([tensor], {"pixels": domain})
    except ClientError as error:
        return error.refusal.message
    return None


def raw(*numbers: float) -> memoryview:
    return memoryview(struct.pack(f"<{len(numbers)}f", *numbers))


def of(data: Any, shape: tuple[int, ...] = (1, 2), datatype: str = "FP32") -> Input:
    return Input("pixels", datatype, list(shape), data)


@pytest.mark.parametrize(
    ("tensor", "told"),
    [
        (of([0, 16]), None),
        (of([[0.5, 16]]), None),
        (of(raw(0, 16)), None),
        (of([], (0, 2)), None),
        (of(raw(1, 2, 3, 4), (2, 2)), None),
        (of([0, 17]), "'pixels' must be at most 16."),
        (of(raw(0, 17)), "'pixels' must be at most 16."),
        (of(raw(-0.5, 1)), "'pixels' must be at least 0."),
        (of(raw(0, math.nan)), "'pixels' must hold finite numbers."),
        (of(raw(0, math.inf)), "'pixels' must hold finite numbers."),
        (of([0, 1], (2,)), "'pixels' must be of shape [-1, 2]."),
        (of([0, 1, 2], (1, 3)), "'pixels' must be of shape [-1, 2]."),
        (of([0, 1], datatype="FP64"), "'pixels' must be of datatype FP32."),
        (of([0, 1, 2]), "'pixels' does not hold what its datatype and shape say."),
        (of(["a", "b"]), "'pixels' does not hold what its datatype and shape say."),
        (of([0, None]), "'pixels' must hold finite numbers."),
        (of([[0], 1]), "'pixels' does not hold what its datatype and shape say."),
        (of(None), "'pixels' does not hold what its datatype and shape say."),
    ],
)
def test_a_tensor_is_what_its_rule_says(tensor: Input, told: str | None) -> None:
    assert refusal(tensor, PIXELS) == told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (["a", "b"], None),
        (["a", "s3cret"], "'pixels' must be one of 2 known values."),
        (memoryview(b"\1\0\0\0a\1\0\0\0b"), None),
        (memoryview(b"\1\0\0\0a\1\0\0\0c"), "'pixels' must be one of 2 known values."),
        ([1, 2], "'pixels' does not hold what its datatype and shape say."),
        (memoryview(b"\1\0\0\0a\1"), "'pixels' does not hold what its datatype and shape say."),
    ],
)
def test_a_tensor_of_strings_is_looked_at_as_text(data: Any, told: str | None) -> None:
    domain = TensorDomain(values=("a", "b"))
    assert refusal(of(data, datatype="BYTES"), domain) == told


def test_categories_may_be_numbers() -> None:
    domain = TensorDomain(values=(0, 1))
    assert refusal(of([1, 0]), domain) is None
    assert refusal(of([1, 2]), domain) == "'pixels' must be one of 2 known values."


def test_an_input_that_no_rule_names_is_refused() -> None:
    tensor = Input("other", "FP32", [1], [1.0])
    assert refusal(tensor, PIXELS) == "There is no input 'other'."


@given(st.lists(st.floats(width=32), min_size=1, max_size=8), st.booleans())
def test_no_number_outside_passes_in_either_form(numbers: list[float], listed: bool) -> None:
    data = numbers if listed else raw(*numbers)
    passed = refusal(of(data, (len(numbers),)), TensorDomain(min=-1, max=1)) is None
    assert passed is bool(np.all(np.abs(np.array(numbers)) <= 1))
