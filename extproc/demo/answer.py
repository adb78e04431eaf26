"""An answer as it came over the wire, and where the APIs keep what they tell.

Rule: an answer is read by its API's documentation alone, with nothing of the code that rewrote it.
Readers raise LookupError, TypeError or ValueError where an answer is not its API's.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

Json = Any
"""What a document holds, before a reader has looked at it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, header fields and body; status 0 where there was none."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = True
    """False where the connection ended before the answer did."""
    seconds: float = 0.0

    @property
    def documents(self) -> list[Json]:
        """The JSON documents: one, or one per event of a stream."""
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            return [orjson.loads(self.body)]
        events = (event.removeprefix(b"data: ") for event in self.body.split(b"\n\n"))
        return [orjson.loads(event) for event in events if event.startswith(b"{")]


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat completion, put together from a document or from the events of a stream."""

    text: str
    reasoning: str | None
    tokens: list[Json] | None
    """The entries of ``logprobs.content``; None where there are none."""
    fingerprint: str | None
    usage: Json

    @property
    def logprobs(self) -> list[float]:
        """Of every token and of its alternatives."""
        entries = [[token, *token["top_logprobs"]] for token in self.tokens or ()]
        return [entry["logprob"] for group in entries for entry in group]


def outputs(answer: Answer) -> dict[str, list[Any]]:
    """The data of every output of a KServe answer, by name."""
    (document,) = answer.documents
    return {output["name"]: output["data"] for output in document["outputs"]}


def embedding(answer: Answer) -> list[float]:
    """The one vector of an embeddings answer; of base64 each float32 as its shortest decimals."""
    (document,) = answer.documents
    (item,) = document["data"]
    value = item["embedding"]
    return decoded(value) if isinstance(value, str) else [float(part) for part in value]


def decoded(text: str) -> list[float]:
    """Base64 of little-endian float32."""
    return [float(str(part)) for part in np.frombuffer(b64decode(text, validate=True), "<f4")]


def chat(answer: Answer) -> Chat:
    """The first choice of a chat completion."""
    documents = answer.documents
    choices = [choice for document in documents for choice in document["choices"]]
    parts = [choice["message"] if "message" in choice else choice["delta"] for choice in choices]
    lists = [choice["logprobs"]["content"] for choice in choices if choice.get("logprobs")]
    return Chat(
        text="".join(part.get("content") or "" for part in parts),
        reasoning="".join(part.get("reasoning_content") or "" for part in parts) or None,
        tokens=[token for tokens in lists for token in tokens] if lists else None,
        fingerprint=documents[0].get("system_fingerprint"),
        usage=next((each["usage"] for each in documents if each.get("usage")), None),
    )


def places(answer: Answer) -> set[str]:
    """Where the answer holds something: dotted paths, without the indices of arrays."""
    return {path for document in answer.documents for path in _places(document, "")}


def _places(value: Json, path: str) -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{path}.{name}".removeprefix("."))
    if isinstance(value, list):
        for inner in value:
            yield from _places(inner, path)
