from typing import Any

import numpy as np
import pytest

from extproc.canonical import digest
from extproc.dialects.batch import Input, Later, batch


def raw(values: Any, dtype: str) -> memoryview:
    return memoryview(np.array(values, dtype).tobytes())


def digests(*inputs: Input) -> list[bytes]:
    return [digest(row) for row in batch(inputs)]


WRITTEN = [
    Input("x", "FP32", [2, 2], [0.1, 0.2, 0.3, 0.0]),
    Input("x", "FP32", [2, 2], [[0.1, 0.2], [0.3, 0.0]]),
    Input("x", "FP32", [2, 2], [0.1000000000001, 0.2, 0.3, -0.0]),
    Input("x", "FP32", [2, 2], raw([0.1, 0.2, 0.3, -0.0], "<f4")),
]


@pytest.mark.parametrize("other", WRITTEN)
def test_however_a_row_is_written_it_is_one(other: Input) -> None:
    assert digests(other) == digests(WRITTEN[0])


def test_a_row_is_itself_whatever_stands_beside_it() -> None:
    alone = digests(Input("x", "FP32", [1, 2], [0.1, 0.2]))
    assert digests(WRITTEN[0])[:1] == alone
    assert digests(WRITTEN[0])[1:] != alone


def test_the_order_of_inputs_is_nothing_to_a_row() -> None:
    x, y = Input("x", "INT64", [2], [1, 2]), Input("y", "BOOL", [2], [True, False])
    assert digests(x, y) == digests(y, x)
    assert digests(x, y) != digests(Input("z", "INT64", [2], [1, 2]), y)


def test_rows_of_other_values_are_others() -> None:
    assert (
        digests(Input("x", "FP64", [2], [0.1, 0.1000000000001]))[0]
        != digests(Input("x", "FP64", [2], [0.1000000000001, 0.1]))[0]
    )


def test_whole_numbers_and_flags_are_numbers() -> None:
    listed, octets = Input("x", "INT16", [2], [3, 0]), Input("x", "INT16", [2], raw([3, 0], "<i2"))
    assert digests(listed) == digests(octets)
    listed = Input("x", "BOOL", [2], [True, False])
    assert digests(listed) == digests(Input("x", "BOOL", [2], raw([1, 0], "?")))


def test_words_are_the_same_words() -> None:
    octets = memoryview(b"\x02\0\0\0hi\x01\0\0\0a")
    assert digests(Input("x", "BYTES", [2], octets)) == digests(
        Input("x", "BYTES", [2, 1], [["Hi!"], ["A"]])
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Input("x", "FP32", [2], None),
        Input("x", "FP32", [2], [0.1]),
        Input("x", "FP32", [2], [0.1, "s"]),
        Input("x", "FP32", [2], [[0.1], 0.2]),
        Input("x", "FP32", [2, 0], []),
        Input("x", "FP64", [2], [10**400, 1]),
        Input("x", "FP32", [2], memoryview(b"abc")),
        Input("x", "BYTES", [2], memoryview(b"abc")),
        Input("x", "FP128", [2], memoryview(b"abc")),
    ],
)
def test_what_cannot_be_cut_is_asked_about_whole(wrong: Input) -> None:
    first, second = digests(wrong)
    assert first == second


@pytest.mark.parametrize("shapes", [[[2, 1], [1]], [[0, 4]], [[]], [[], [2]]])
def test_inputs_of_no_common_batch_are_one(shapes: list[list[int]]) -> None:
    inputs = [
        Input(f"x{number}", "INT8", shape, [1] * int(np.prod(shape)))
        for number, shape in enumerate(shapes)
    ]
    assert len(batch(inputs)) == len(digests(*inputs)) == 1


def test_a_batch_is_not_read_before_it_is_looked_into_and_then_once() -> None:
    """Planted: made at each look, the digests of a batch took the square of its size in time."""
    seen: list[int] = []

    def make() -> list[str]:
        seen.append(1)
        return ["a", "b"]

    later = Later(2, make)
    assert (len(later), seen) == (2, [])
    assert (later[1], [*later], len(seen)) == ("b", ["a", "b"], 1)
