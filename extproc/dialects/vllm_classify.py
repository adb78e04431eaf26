"""vLLM's classification (POST /classify): a label and its probabilities for each input.

Rule: what is not a distribution does not pass, whatever the server's defaults are: with its
activation turned off, ``probs`` holds logits.

Source: vLLM's online serving documentation, "Classification API".
"""

from typing import Final

from extproc.dialects.confidences import PROBABILITIES
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.inputs import texts_or_tokens
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Asked
from extproc.dialects.shape import Keep, Node, Opaque
from extproc.dialects.vllm import SALTED, answer, salted
from extproc.prediction import Query
from extproc.refusal import Refusal

_GATE: Final = Object({**SALTED, "input": PASS})
_ANSWER: Final = answer({"label": Opaque("label"), "probs": PROBABILITIES, "num_classes": Keep()})


class VllmClassify(JsonDialect, frozen=True, tag="vllm_classify"):
    """Classification."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = texts_or_tokens(admitted.read.get("input"), "input")
        query = Query(admitted.model, len(inputs))
        return Asked(query, salted(admitted, terms).body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def positional(self) -> bool:
        return True

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)
