"""OpenAI embeddings (POST /v1/embeddings): JSON floats, base64 of little-endian float32, octets.

Sources: OpenAI API reference, "Embeddings"; vLLM's online serving documentation, "Embeddings API",
for the fields that vLLM adds.  OpenAI's own Python client asks for base64 unless told otherwise and
reads it as ``numpy.float32``, so a vector goes back in the type it came in.
"""

from typing import Final

from extproc.dialects.answers import Answers, Body, Document
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.inputs import texts_or_tokens
from extproc.dialects.octets import OCTETS, Octets
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Admitted, Asked, require
from extproc.dialects.shape import Fault, Fields, Items, Keep, ModelName, Node
from extproc.dialects.vectors import VECTOR
from extproc.dialects.vllm import COMMON, FLOAT32, USAGE
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {**COMMON, **FLOAT32, **dict.fromkeys(("input", "encoding_format", "dimensions"), PASS)}
)
_FORMATS: Final = (None, "float", "base64")
_OCTET_FORMATS: Final = ("bytes", "bytes_only")


class OpenAIEmbeddings(JsonDialect, frozen=True, tag="openai_embeddings"):
    """Embeddings."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = _described(self.admit(body, _GATE, terms), terms)
        inputs = texts_or_tokens(admitted.read.get("input"), "input")
        query = Query(admitted.model, len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def answers(self) -> Answers:
        return {JSON: Document(self.answer()), OCTETS: Body(Octets(_AROUND))}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _described(admitted: Admitted, terms: Terms) -> Admitted:
    """With octets only where there is something to send, and only with their shapes beside them.

    ``bytes_only`` leaves the shapes out; a client that asked for it does not look at them.
    """
    encoding = admitted.fields.get("encoding_format")
    if encoding in _OCTET_FORMATS and "embedding" in terms.granted:
        return admitted.with_field("encoding_format", "bytes")
    require(encoding in _FORMATS, "'encoding_format' must be 'float' or 'base64'.")
    return admitted


_AROUND: Final[dict[str, Node]] = {
    **dict.fromkeys(("id", "created", "object"), Keep()),
    "model": ModelName(),
    "usage": USAGE,
    "error": Fault(),
}
_ANSWER: Final = Fields(
    {
        **_AROUND,
        "data": Gathered(
            Items(Fields({"object": Keep(), "index": Keep(), "embedding": VECTOR}), each=True)
        ),
    }
)
