"""vLLM's pooling (POST /pooling): whatever the model's pooler gives, per input or per token.

Rule: what it is, only the operator knows.  A route that does not declare it an embedding serves it
to tiers that name ``tensor`` and to no others: it may be the hidden state of every token.

Source: vLLM's online serving documentation, "Pooling API".
"""

from typing import Final, Literal

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Only, Terms
from extproc.dialects.inputs import texts_or_tokens
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked
from extproc.dialects.shape import Node, Rows
from extproc.dialects.vectors import vectors
from extproc.dialects.vllm import FLOAT32, SALTED, answer, salted
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {
        **SALTED,
        **FLOAT32,
        "input": PASS,
        "dimensions": PASS,
        "encoding_format": Only((None, "float", "base64")),
        # The others (``token_embed``, ``plugin``) answer with what the pooler was not set up for.
        "task": Only((None, "embed")),
    }
)


class VllmPooling(JsonDialect, frozen=True, tag="vllm_pooling"):
    """Pooled outputs."""

    holds: Literal["tensor", "embedding"] = "tensor"
    """What ``data[].data`` is: vectors that mutators understand, or nobody knows what."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = texts_or_tokens(admitted.read.get("input"), "input")
        query = Query(admitted.model, len(inputs))
        return Asked(query, salted(admitted, terms).body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return answer({"data": Rows(vectors(self.holds))}, vectors=self.holds == "embedding")

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)
