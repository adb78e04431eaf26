"""What the rows of a batch are asked about, for the draws of their answers.

Rule: a row is itself whatever stands beside it in its batch, and however its numbers are written:
they are read as the model reads them, at the precision of the tensor's datatype.  Else each other
batch, or each further decimal, would be another draw to average over (see draw.py).  Nothing is
read before something is drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from extproc.dialects.tensor import (
    DIMENSIONS,
    FLOATS,
    INTEGERS,
    STRINGS,
    flat,
    names,
    narrowed,
    strings,
    widened,
)
from extproc.errors import Malformed
from extproc.prediction import Vector


class Later(Sequence[Any]):
    """A sequence of known length that is made when it is first looked into, and kept."""

    def __init__(self, count: int, make: Callable[[], Sequence[Any]]) -> None:
        self._count, self._make = count, make

    @cached_property
    def _made(self) -> Sequence[Any]:
        return self._make()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return iter(self._made)

    def __getitem__(self, at: Any) -> Any:
        return self._made[at]


@dataclass(frozen=True, slots=True)
class Input:
    """One input tensor of a request."""

    name: str
    datatype: str
    shape: Sequence[int]
    data: Any
    """A list, flat or nested; or its raw form."""

    def rows(self, count: int) -> list[Any]:
        """So many equal parts, each as one JSON value; what cannot be cut is each part, whole."""
        try:
            elements = self.elements()
        except (Malformed, TypeError, ValueError, OverflowError):
            elements = None
        size = prod(self.shape) // count
        if elements is None or size == 0 or len(elements) != size * count:
            return [self.data if isinstance(self.data, list) else bytes(self.data or b"")] * count
        parts = [elements[at : at + size] for at in range(0, size * count, size)]
        return parts if isinstance(elements, list) else [part.tobytes() for part in parts]

    def elements(self) -> Any:
        """Its strings as a list, its numbers as a vector in which no zero has a sign.

        Raise Malformed, TypeError, ValueError or OverflowError where it holds something else.
        """
        if not isinstance(self.data, list):
            return self._read(self.data)
        elements = flat(self.data, DIMENSIONS)
        if self.datatype == STRINGS:
            return elements
        numbers = np.array(elements, np.float64)
        if self.datatype in FLOATS:
            numbers = widened(narrowed(numbers, self.datatype), self.datatype)
        return numbers + 0.0

    def _read(self, octets: memoryview) -> list[str] | Vector:
        if self.datatype == STRINGS:
            return list(names(strings(octets)))
        known = self.datatype in FLOATS or self.datatype in INTEGERS
        return widened(octets, self.datatype if known else "UINT8") + 0.0


def batch(inputs: Sequence[Input]) -> Sequence[Any]:
    """The rows of all inputs, one each; one in all where the inputs are not of one batch."""
    sizes = {each.shape[0] if each.shape else 1 for each in inputs}
    count = max(1, sizes.pop()) if len(sizes) == 1 else 1

    def rows() -> list[Any]:
        ordered = sorted(inputs, key=lambda each: each.name)
        columns = [each.rows(count) for each in ordered]
        return [
            [[each.name, item] for each, item in zip(ordered, row, strict=True)]
            for row in zip(*columns, strict=True)
        ]

    return Later(count, rows)
