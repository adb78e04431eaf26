"""What the demo asks: one request per API and way to ask it.

Rule: every request asks for as much as its API gives, as a thief would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

API = Literal["infer", "embeddings", "chat"]


@dataclass(frozen=True, slots=True)
class Case:
    """One request."""

    name: str
    api: API
    path: str
    body: Mapping[str, Any]
    asks: str
    """The body in words."""


INFER: Final = "/v2/models/digits/infer"
EMBEDDINGS: Final = "/v1/embeddings"
CHAT: Final = "/v1/chat/completions"

# A two that the model takes for a three one time in five; one of those it was not trained on.
_IMAGE: Final = """
    0  0  7 16 14  3  0  0
    0  0  9 14 11 15  0  0
    0  0  1  5  0 15  5  0
    0  0  0  0  0 16  5  0
    0  0  0  0  3 16  4  0
    0  0  0  1 12 14  1  0
    0  0  5 12 16 16 14  1
    0  0  8 16 14 10 13  3
"""


def infer(**fields: Any) -> dict[str, Any]:
    """A request for what digit is in one image of 8 by 8 pixels."""
    pixels = [int(pixel) for pixel in _IMAGE.split()]
    tensor = {"name": "image", "shape": [1, 64], "datatype": "FP64", "data": pixels}
    return {"inputs": [tensor], **fields}


def embeddings(**fields: Any) -> dict[str, Any]:
    """A request for the embedding of one sentence."""
    return {"model": "minilm", "input": "A model is worth what it takes to copy it.", **fields}


def chat(**fields: Any) -> dict[str, Any]:
    """A request for a continuation of a text: the likeliest, thus the same each time."""
    message = {"role": "user", "content": "Python is"}
    return {"model": "tiny-lm", "messages": [message], "max_tokens": 8, "temperature": 0, **fields}


_OUTPUTS: Final = [{"name": name} for name in ("probabilities", "label", "logits")]

CASES: Final = (
    Case("infer", "infer", INFER, infer(), "which digit an image shows"),
    Case("infer, logits", "infer", INFER, infer(outputs=_OUTPUTS), "the same, and for the logits"),
    Case(
        "embeddings, float",
        "embeddings",
        EMBEDDINGS,
        embeddings(encoding_format="float"),
        "a sentence as vector",
    ),
    Case(
        "embeddings, base64",
        "embeddings",
        EMBEDDINGS,
        embeddings(encoding_format="base64"),
        "the same in base64, as OpenAI's client does",
    ),
    Case(
        "chat, document",
        "chat",
        CHAT,
        chat(logprobs=True, top_logprobs=5),
        "a text, with logprobs and 5 alternatives per token",
    ),
    Case(
        "chat, stream",
        "chat",
        CHAT,
        chat(logprobs=True, top_logprobs=5, stream=True, stream_options={"include_usage": True}),
        "the same as a stream of events, with usage",
    ),
    Case(
        "chat, reasoning",
        "chat",
        CHAT,
        chat(reasoning_effort="low", temperature=1, seed=1),
        "another text, after some hidden reasoning",
    ),
)
