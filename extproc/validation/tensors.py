"""What an input tensor may be: its datatype, its shape, and what each of its elements may hold.

Rules: a tensor that no rule names is refused, as an unknown field is.  It holds exactly what its
datatype and shape say, and numbers are finite: of an infinity or a NaN models answer with what
they were never trained to tell.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from extproc.cause import Cause
from extproc.dialects.batch import Input
from extproc.dialects.tensor import DIMENSIONS, STRINGS
from extproc.errors import ClientError, Malformed
from extproc.prediction import Vector
from extproc.refusal import INVALID_REQUEST
from extproc.validation.domain import Domain
from extproc.validation.place import shown

_REFUSED: Final = INVALID_REQUEST.called(Cause.INPUT_TENSOR)

ANY: Final = -1
"""A dimension of any size."""


class TensorDomain(Domain, frozen=True, forbid_unknown_fields=True, dict=True):
    """The class is its configuration."""

    datatype: str | None = None
    """Such as FP32 or BYTES."""
    shape: (
        Annotated[tuple[Annotated[int, Meta(ge=ANY, le=1 << 40)], ...], Meta(max_length=DIMENSIONS)]
        | None
    ) = None
    """Its dimensions, -1 for one of any size."""

    def check_tensor(self, tensor: Input, place: str) -> None:
        """Raise ClientError where the tensor is another."""
        if self.datatype is not None and tensor.datatype != self.datatype:
            raise ClientError(f"{shown(place)} must be of datatype {self.datatype}.", _REFUSED)
        if self.shape is not None and not _is_shaped(tensor.shape, self.shape):
            raise ClientError(f"{shown(place)} must be of shape {list(self.shape)}.", _REFUSED)
        elements = _elements(tensor, place)
        if isinstance(elements, list):
            self.check(elements, place)
        elif len(elements):
            self._check_vector(elements, place)

    def _check_vector(self, numbers: Vector, place: str) -> None:
        if not np.isfinite(numbers).all():
            raise ClientError(f"{shown(place)} must hold finite numbers.", _REFUSED)
        self.check_numbers(float(numbers.min()), float(numbers.max()), place)
        if self.values:
            self.check_members(np.unique(numbers).tolist(), place)


def check_tensors(tensors: Sequence[Input], domains: Mapping[str, TensorDomain]) -> None:
    """Raise ClientError where one is unknown, or is not what its rule says."""
    for tensor in tensors:
        domain = domains.get(tensor.name)
        if domain is None:
            raise ClientError(f"There is no input {shown(tensor.name)}.", _REFUSED)
        domain.check_tensor(tensor, tensor.name)


def _is_shaped(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        size in {ANY, found} for size, found in zip(wanted, shape, strict=True)
    )


def _elements(tensor: Input, place: str) -> list[str] | Vector:
    try:
        elements: list[str] | Vector = tensor.elements()
        fits = len(elements) == prod(tensor.shape)
        of_text = tensor.datatype == STRINGS and all(type(each) is str for each in elements)
        if fits and (of_text or tensor.datatype != STRINGS):
            return elements
    except (Malformed, TypeError, ValueError, OverflowError):
        pass
    raise ClientError(f"{shown(place)} does not hold what its datatype and shape say.", _REFUSED)
