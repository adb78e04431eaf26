"""vLLM's scoring of pairs of texts (POST /score, /v1/score): one number a pair.

Source: vLLM's online serving documentation, "Score API".  The two sides have four pairs of names.
"""

from collections.abc import Sequence
from typing import Final

from extproc.dialects.confidences import SCORE
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.inputs import Json, Pairs, some
from extproc.dialects.openai_error import openai_error
from extproc.dialects.request import Admitted, Asked
from extproc.dialects.shape import Node
from extproc.dialects.vllm import SALTED, answer, salted
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

_SIDES: Final = (
    ("text_1", "text_2"),
    ("data_1", "data_2"),
    ("queries", "documents"),
    ("queries", "items"),
)
_NAMES: Final = {name for sides in _SIDES for name in sides}
_GATE: Final = Object({**SALTED, **dict.fromkeys(sorted(_NAMES), PASS)})
_ANSWER: Final = answer({"score": SCORE})


class VllmScore(JsonDialect, frozen=True, tag="vllm_score"):
    """Scores of pairs."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        pairs = _pairs(admitted)
        query = Query(admitted.model, len(pairs))
        return Asked(query, salted(admitted, terms).body, pairs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _pairs(admitted: Admitted) -> Sequence[Json]:
    """One with each of many, or as many with as many."""
    named = _NAMES & admitted.read.keys()
    for first, second in _SIDES:
        if named == {first, second}:
            left, right = _side(admitted, first), _side(admitted, second)
            if len(left) == 1:
                return Pairs(left[0], right)
            if len(left) == len(right):
                return list(zip(left, right, strict=True))
            raise ClientError(f"{first!r} must be one, or as many as {second!r}.")
    raise ClientError("The texts must be 'text_1' and 'text_2', or 'queries' and 'documents'.")


def _side(admitted: Admitted, name: str) -> list[Json]:
    value = admitted.read[name]
    return [value] if isinstance(value, str | dict) else some(value, name, str, dict)
