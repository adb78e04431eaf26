"""OpenAI embeddings (POST /v1/embeddings): JSON floats or base64 of little-endian float32.

Source: OpenAI API reference, "Embeddings".  OpenAI's own Python client asks for base64 unless told
otherwise and reads it as ``numpy.float32``, so a vector goes back in the type it came in.
"""

import struct
from typing import Final

import msgspec
import numpy as np
import pybase64

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Edit,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
)
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import Embedding, Query, Vector
from extproc.refusal import Refusal

_GATE: Final = Object(
    dict.fromkeys(("model", "input", "encoding_format", "dimensions", "user"), PASS)
)
_FORMATS: Final = (None, "float", "base64")
_SINGLE: Final = np.dtype("<f4")
# Of what float32 holds (3.4e38), less than any mutator's arithmetic can carry out of it.
_LARGEST: Final = 1e30


class OpenAIEmbeddings(JsonDialect, frozen=True, tag="openai_embeddings"):
    """Embeddings."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        read = admitted.read
        model = read.get("model")
        require(isinstance(model, str) and model, "'model' must be a name.")
        encoding = read.get("encoding_format")
        require(encoding in _FORMATS, "'encoding_format' must be 'float' or 'base64'.")
        inputs = _inputs(read.get("input"))
        query = Query(str(model), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _inputs(value: Json) -> list[Json]:
    """The inputs: a string or one array of token ids is one, an array of those is many.

    Items of two types are refused: how many inputs they make is each model server's own idea.
    """
    if isinstance(value, str) or _are(int, value):
        return [value]
    if _are(str, value) or (_are(list, value) and all(_are(int, item) for item in value)):
        return list(value)
    raise ClientError("'input' must be a string, an array of strings, or token ids.")


def _are(kind: type, value: Json) -> bool:
    """Whether it is an array of this type alone, and not empty."""
    return isinstance(value, list) and set(map(type, value)) == {kind}


def _embedding(value: Json, edit: Edit, place: str) -> Json:
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


_ANSWER: Final = Fields(
    {
        "object": Keep(),
        "data": Items(
            Fields(
                {
                    "object": Keep(),
                    "index": Keep(),
                    "embedding": Leaf("embedding", _embedding, nulled=True),
                }
            ),
            each=True,
        ),
        "model": ModelName(),
        "usage": Gate("usage", Fields({"prompt_tokens": Keep(), "total_tokens": Keep()})),
        "id": Keep(),
        "created": Keep(),
        "error": Fault(),
    }
)
