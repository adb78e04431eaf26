"""How an API answers: for each media type the framing, and what stands in a frame.

A dialect's ``answers()`` gives one of these for each content type an answer may have; rewriter.py
carries it out.  An answer of any other type is not released.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from extproc.dialects.shape import Node, Rewrite

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work that may take long: between its steps, of a few milliseconds, others have their turn."""


def at_once(steps: Steps[T]) -> T:
    """What the work comes to, done without a break."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document."""

    node: Node
    padding: str = ""
    """A member that the API's clients ignore, to fill it up with; see padding.py."""


@dataclass(frozen=True, slots=True)
class Events:
    """A stream of server-sent events, each with one JSON document as its data.

    A document for which the tree returns ABSENT takes its event with it.
    """

    node: Node
    sentinels: frozenset[bytes] = frozenset()
    """Data that is no JSON and passes: ``[DONE]``."""
    named: bool = False
    """Each event carries its document's ``type`` as its name too (``event:``)."""
    padding: str = ""
    """As of a Document."""
    counts: str = ""
    """The member that counts tokens; where it was asked for it is null in all other events."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A stream of JSON documents, one a line (NDJSON, JSON Lines).  ABSENT takes the line out."""

    node: Node
    streamed: bool = True
    """Whether it must have been asked for as a stream; else it is held like a document."""


@dataclass(frozen=True, slots=True)
class Array:
    """A JSON array that is sent element by element, as a stream."""

    node: Node
    """Of one element."""


class Reading(Protocol):
    """What a whole body becomes; held until it is there, and never larger than ``caps.value``."""

    def rewrite(
        self, body: bytes, headers: Mapping[str, str], run: Rewrite
    ) -> "Whole | Steps[Whole]":
        """Raise UpstreamError where the body is not what the API promises."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole body, and the header fields that must say so."""

    body: bytes
    set_headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is read whole: binary tensors, CSV, octets."""

    reading: Reading


class Message(Protocol):
    """What one gRPC message becomes."""

    def rewrite(self, message: bytes, run: Rewrite) -> bytes | Steps[bytes]:
        """Raise UpstreamError where it is not what the API promises."""
        ...


@dataclass(frozen=True, slots=True)
class Frames:
    """Length-prefixed messages (gRPC over HTTP/2)."""

    message: Message
    streamed: bool = False
    """A stream of answers, which leave one by one; else they are held like a document."""


Answer = Document | Events | Lines | Array | Body | Frames
Answers = Mapping[str, Answer]
"""By media type, in lower case and without parameters."""


def streamed(answer: Answer) -> bool:
    """Whether it leaves piece by piece, and so only where the request asked for a stream."""
    match answer:
        case Events() | Array():
            return True
        case Lines() | Frames():
            return answer.streamed
        case Document() | Body():
            return False
