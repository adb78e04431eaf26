"""Ollama's completions (POST /api/generate), as documents and as lines of JSON.

Source: Ollama API reference, "Generate a completion".  Rule: the model's template stays where it
is (``raw``, ``template``), and token ids go neither way (``context``): they spell what a vocabulary
is, and carry the conversation past whatever reads its text.
"""

from typing import Final

from extproc.dialects.dialect import Parameters
from extproc.dialects.gate import PASS, Object, Only, Terms
from extproc.dialects.ollama import ANSWER, BOUNDED, TEXT, OllamaText
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fields, Node, Opaque

_GATE: Final = Object(
    {
        **TEXT,
        **dict.fromkeys(("prompt", "suffix", "system", "images"), PASS),
        "raw": Only((False, None)),
    },
    bounded=BOUNDED,
)
_INPUT: Final = ("system", "prompt", "suffix", "images")


class OllamaGenerate(OllamaText, frozen=True, tag="ollama_generate"):
    """Ollama's completions."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        read = admitted.read
        require(isinstance(read.get("prompt"), str | None), "'prompt' must be a string.")
        about = tuple(map(read.get, _INPUT))
        return Asked(self.query(admitted), admitted.body, (about,), {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def tree(self) -> Node:
        return _ANSWER


_ANSWER: Final = Fields(
    {
        **ANSWER,
        "response": Opaque("text"),
        "thinking": Opaque("reasoning"),
        "image": Opaque("text"),
    }
)
