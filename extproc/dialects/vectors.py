"""Vectors as APIs write them: JSON floats, base64 of little-endian float32, sparse, nested.

Rule: a vector goes back in the type it came in, with the digits of float32 and no more.  What is
not a vector of finite numbers makes the answer unreadable.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pybase64

from extproc.dialects.mutation import Edit
from extproc.dialects.shape import ABSENT, Anything, Fields, Items, Json, Leaf, Node, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Kind, Vector

SINGLE: Final = np.dtype("<f4")
# Of what float32 holds (3.4e38), less than any mutator's arithmetic can carry out of it.
_LARGEST: Final = 1e30


def embedding(value: Json, edit: Edit, place: str) -> Json:
    """A codec of JSON floats and of base64."""
    before = _read(value, place)
    after = edited(before, edit)
    if after is before:
        return value
    if after is None:
        return ABSENT
    single = after.astype(SINGLE)
    return pybase64.b64encode_as_string(single.data) if isinstance(value, str) else single


def edited(before: Vector, edit: Edit) -> Vector | None:
    """What the edit makes of a vector: itself where nothing changed, None where it is dropped."""
    after = edit(Embedding(before))
    if after is None:
        return None
    if not isinstance(after, Embedding):
        raise TypeError(f"a mutator made {type(after).__name__} of an embedding")
    return after.values


def from_octets(raw: bytes, place: str) -> Vector:
    """Shape (dimensions,), from little-endian float32.  Raise UpstreamError where it is none."""
    try:
        single = np.frombuffer(raw, SINGLE)
    except ValueError as error:
        raise _wrong(place) from error
    vector = single.astype(np.float64)
    _check(vector, place)
    return vector


def _read(value: Json, place: str) -> Vector:
    if not isinstance(value, str):
        return _floats(value, place)
    try:
        raw = pybase64.b64decode(value, validate=True)
    except ValueError as error:
        raise _wrong(place) from error
    return from_octets(raw, place)


def _floats(value: Json, place: str) -> Vector:
    try:
        floats = msgspec.convert(value, list[float])
    except msgspec.ValidationError as error:
        raise _wrong(place) from error
    # A third of the time that np.array takes to read a list.
    vector = np.frombuffer(struct.pack(f"{len(floats)}d", *floats), np.float64)
    _check(vector, place)
    return vector


def _check(vector: npt.NDArray[Any], place: str) -> None:
    # Not a number is not below it either.  Where the squares add up to little no component is
    # large, which takes a fifth of the time to see.
    if not vector.size or not (
        np.vdot(vector, vector) < _LARGEST or np.maximum.reduce(np.abs(vector)) <= _LARGEST
    ):
        raise UpstreamError(f"{place} is not a vector of finite numbers")


def _wrong(place: str) -> UpstreamError:
    return UpstreamError(f"{place} is not a vector")


class _Component(msgspec.Struct):
    index: Annotated[int, msgspec.Meta(ge=0)]
    value: float


def _sparse(value: Json, edit: Edit, place: str) -> Json:
    """The components that are listed, as a vector of their own; what is cut off is not listed."""
    try:
        components = msgspec.convert(value, list[_Component])
    except msgspec.ValidationError as error:
        raise _wrong(place) from error
    if not components:
        return value
    before = _floats([component.value for component in components], place)
    after = edited(before, edit)
    if after is before:
        return value
    if after is None:
        return ABSENT
    pairs = zip(value, after.astype(SINGLE), strict=False)
    return [{**component, "value": number} for component, number in pairs]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers that no mutator reads: an array of them, or base64.  They pass whole or not at all.

    For hidden states above all, which are next to the model's weights (Carlini et al., "Stealing
    Part of a Production Language Model", ICML 2024).
    """

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if run.edits.get("tensor", _unread) is not None:
            run.drop(place)
            return None
        run.told.count("tensor", _read(value, place).size)
        return value


_unread: Final[Any] = object()

VECTOR: Final = Leaf("embedding", embedding, nulled=True)
SPARSE: Final = Leaf(
    "embedding", _sparse, Items(Fields({"index": Anything(), "value": Anything()})), nulled=True
)


def vectors(kind: Kind) -> Node:
    """Vectors of a kind that the route declares: ``embedding``, else nobody knows what they are."""
    return VECTOR if kind == "embedding" else Tensor()
