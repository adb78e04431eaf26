"""Ollama's chat (POST /api/chat), as documents and as lines of JSON.

Source: Ollama API reference, "Generate a chat message".
"""

from typing import Final

from extproc.dialects.dialect import Parameters
from extproc.dialects.features import TOOLS
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.ollama import ANSWER, BOUNDED, TEXT, OllamaText
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Anything, Fields, Gate, Items, Keep, Node, Opaque

_GATE: Final = Object({**TEXT, "messages": PASS, "tools": TOOLS}, bounded=BOUNDED)


class OllamaChat(OllamaText, frozen=True, tag="ollama_chat"):
    """Ollama's chat."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, self.gate(), terms)
        messages = admitted.read.get("messages")
        require(isinstance(messages, list), "'messages' must be an array.")
        return Asked(self.query(admitted), admitted.body, (messages,), {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def tree(self) -> Node:
        return _ANSWER


_FUNCTION: Final = Fields(
    {**dict.fromkeys(("index", "name", "description"), Keep()), "arguments": Anything()}
)
_MESSAGE: Final = Fields(
    {
        "role": Keep(),
        "content": Opaque("text"),
        "thinking": Opaque("reasoning"),
        "images": Gate("text", Items(Keep())),
        "tool_calls": Gate("text", Items(Fields({"id": Keep(), "function": _FUNCTION}))),
        "tool_name": Opaque("text"),
    }
)
_ANSWER: Final = Fields({**ANSWER, "message": _MESSAGE})
