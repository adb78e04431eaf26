"""OpenAI embeddings (POST /v1/embeddings): JSON floats or base64 of little-endian float32.

Source: OpenAI API reference, "Embeddings".  OpenAI's own Python client asks for base64 unless told
otherwise and reads it as ``numpy.float32``, so a vector goes back in the type it came in.
"""

from typing import Final

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
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
from extproc.dialects.vectors import embedding
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    dict.fromkeys(("model", "input", "encoding_format", "dimensions", "user"), PASS)
)
_FORMATS: Final = (None, "float", "base64")


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


_ANSWER: Final = Fields(
    {
        "object": Keep(),
        "data": Items(
            Fields(
                {
                    "object": Keep(),
                    "index": Keep(),
                    "embedding": Leaf("embedding", embedding, nulled=True),
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
