"""Vectors in JSON: an array of numbers, or base64 of little-endian float32.

Rule: a vector goes back in the form it came in, and as float32, whatever was done to it.
"""

import struct
from typing import Final

import msgspec
import numpy as np
import pybase64

from extproc.dialects.shape import ABSENT, Edit, Json
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Vector

_SINGLE: Final = np.dtype("<f4")
# Of what float32 holds (3.4e38), less than any mutator's arithmetic can carry out of it.
_LARGEST: Final = 1e30


def embedding(value: Json, edit: Edit, place: str) -> Json:
    before = _read(value, place)
    after = edit(Embedding(before))
    if after is None:
        return ABSENT
    if not isinstance(after, Embedding):
        raise TypeError(f"a mutator made {type(after).__name__} of an embedding")
    if after.values is before:
        return value
    single = after.values.astype(_SINGLE)
    return pybase64.b64encode_as_string(single.tobytes()) if isinstance(value, str) else single


def _read(value: Json, place: str) -> Vector:
    """Shape (dimensions,), from a JSON array or from base64 of float32."""
    try:
        if isinstance(value, str):
            raw = pybase64.b64decode(value, validate=True)
            vector = np.frombuffer(raw, _SINGLE).astype(np.float64)
        else:
            floats = msgspec.convert(value, list[float])
            # A third of the time that np.array takes to read a list.
            vector = np.frombuffer(struct.pack(f"{len(floats)}d", *floats), np.float64)
    except (msgspec.ValidationError, ValueError) as error:
        raise UpstreamError(f"{place} is not a vector") from error
    # Not a number is not below it either.
    if not vector.size or not np.abs(vector).max() <= _LARGEST:
        raise UpstreamError(f"{place} is not a vector of finite numbers")
    return vector
