"""Answer bytes in, at the fidelity of the policy out: one rewriter for each way to answer.

Rule: nothing leaves that was not read.  The output does not depend on how the input was cut
(design law 2), and what needs no change leaves byte for byte (law 3).
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from extproc.dialects.answers import Answer, Array, Body, Document, Events, Frames, Lines
from extproc.dialects.shape import Rewrite
from extproc.rewriter.array import ArrayRewriter
from extproc.rewriter.document import WHOLE, DocumentRewriter, rewritten
from extproc.rewriter.events import EventRewriter
from extproc.rewriter.frames import FrameRewriter
from extproc.rewriter.lines import LineRewriter
from extproc.rewriter.whole import WholeRewriter

__all__ = [
    "WHOLE",
    "ArrayRewriter",
    "BodyRewriter",
    "DocumentRewriter",
    "EventRewriter",
    "FrameRewriter",
    "LineRewriter",
    "WholeRewriter",
    "body_rewriter",
    "rewritten",
]


class BodyRewriter(Protocol):
    @property
    def held(self) -> int:
        """Bytes taken in and not given out yet."""
        ...

    @property
    def set_headers(self) -> Mapping[str, str]:
        """Header fields that the rewritten body needs; known once it has been given out."""
        ...

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Yield what may leave, and None between steps of long work.

        Raise UpstreamError where the answer is not its API's.
        """
        ...

    def finish(self) -> Iterator[bytes | None]:
        """Yield what the end of the body lets leave."""
        ...

    def cut(self, error: bytes) -> bytes | None:
        """How a body that cannot go on ends with this error, so that clients notice.

        None where its framing has no way to say so: then it must be cut off.
        """
        ...


def body_rewriter(
    answer: Answer, headers: Mapping[str, str], run: Rewrite, cap: int
) -> BodyRewriter:
    """What carries out an answer with these header fields; ``cap`` bounds what it keeps."""
    match answer:
        case Document(node):
            return DocumentRewriter(node, run, cap)
        case Events():
            return EventRewriter(answer, run, cap)
        case Lines(node):
            return LineRewriter(node, run, cap)
        case Array(node):
            return ArrayRewriter(node, run, cap)
        case Frames():
            return FrameRewriter(answer, run, cap)
        case Body(reading):
            return WholeRewriter(reading, headers, run, cap)


def to_the_end(rewriter: BodyRewriter, data: bytes) -> Iterator[bytes | None]:
    """What the last piece of a body comes to, and what was held till then."""
    yield from rewriter.feed(data)
    yield from rewriter.finish()
