"""How long an answer looks: every body, or event of a stream, is filled up to one of few lengths.

Rule: the filling is a function of the length alone, so that what leaks is which bucket it was, and
asking again averages nothing away, as it does with random padding (Nikitin et al., "Reducing
Metadata Leakage", 2019).  It goes where readers of the format ignore it:

- a JSON document ends in spaces (RFC 8259, section 2), or gets a member that its API's clients
  ignore, where the dialect names one;
- a server-sent event gets that member, or a comment line (WHATWG HTML, section 9.2.6);
- a line of JSON gets spaces before its end.

Constant filling is enough: what compresses answers behind us undoes any filling, random or not.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from extproc.dialects.answers import Answer, Array, Body, Document, Events, Frames, Lines

LEAST: Final = 512
"""The least power of two: all errors, and nearly all events of streams, are shorter."""
_DOUBLED: Final = 1 << 20
"""Powers of two up to this length, then multiples of it: no filling is larger."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The lengths that bodies may have."""

    step: int = 0
    """Multiples of so many bytes; 0 stands for the powers of two."""

    def of(self, size: int) -> int:
        """The least of them that is not below a size."""
        if self.step:
            return _multiple(size, self.step)
        if size > _DOUBLED:
            return _multiple(size, _DOUBLED)
        return max(LEAST, 1 << (size - 1).bit_length())

    def room(self, size: int) -> int:
        return self.of(size) - size


def _multiple(size: int, step: int) -> int:
    return max(1, -(-size // step)) * step


class Padding(Protocol):
    """The filling of one answer, which comes in pieces."""

    def piece(self, data: bytes) -> bytes:
        """One more piece of the rewritten answer, filled up where pieces are."""
        ...

    def end(self, unsent: bytes) -> bytes:
        """What has not left of the whole answer, filled up where wholes are."""
        ...


def padding(answer: Answer, buckets: Buckets) -> Padding:
    """The filling of such an answer.  Raise TypeError where its framing has no room for any, which
    ``fillable`` tells before.
    """
    match answer:
        case Document(_, member):
            return WholePadding(buckets, member)
        case Array():
            return WholePadding(buckets)
        case Events(padding=member):
            return EventPadding(buckets, member)
        case Lines():
            return LinePadding(buckets)
        case Frames() | Body():
            raise TypeError("there is no room in this framing")


def fillable(answer: Answer) -> bool:
    """Whether clients ignore some bytes of its framing: those of binary ones count them all."""
    return not isinstance(answer, Frames | Body)


class WholePadding:
    """Of a document: at its end, whatever has left before."""

    def __init__(self, buckets: Buckets, member: str = "") -> None:
        self._buckets, self._member = buckets, member
        self._size = 0

    def piece(self, data: bytes) -> bytes:
        self._size += len(data)
        return data

    def end(self, unsent: bytes) -> bytes:
        room = self._buckets.room(self._size)
        if self._size == len(unsent):
            return filled(unsent, room, self._member)
        return unsent + b" " * room


class EventPadding:
    """Of each event of a stream by itself."""

    def __init__(self, buckets: Buckets, member: str = "") -> None:
        self._buckets, self._member = buckets, member

    def piece(self, data: bytes) -> bytes:
        room = self._buckets.room(len(data)) if data else 0
        if not room:
            return data
        if data.startswith(b"data: {") and data.endswith(b"}\n\n"):
            inside = _with_member(data[6:-2], room, self._member)
            if inside is not None:
                return b"data: " + inside + b"\n\n"
        # A line end by itself is an event of nothing, which is ignored too.
        return (b":" + b"x" * (room - 2) + b"\n" if room > 1 else b"\n") + data

    def end(self, unsent: bytes) -> bytes:
        return unsent


class LinePadding:
    """Of each line by itself."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def piece(self, data: bytes) -> bytes:
        room = self._buckets.room(len(data)) if data else 0
        return data[:-1] + b" " * room + data[-1:]

    def end(self, unsent: bytes) -> bytes:
        return unsent


def filled(document: bytes, room: int, member: str = "") -> bytes:
    """A JSON document with so many bytes more, which say nothing."""
    inside = _with_member(document, room, member)
    return document + b" " * room if inside is None else inside


def _with_member(document: bytes, room: int, member: str) -> bytes | None:
    """An object with one more member; None where it has no room for it, or may have it already."""
    opening = b',"' + member.encode() + b'":"'
    fits = member and room > len(opening) and len(document) > 2
    if not fits or document[:1] != b"{" or document[-1:] != b"}":
        return None
    if opening[1:-2] in document:
        return None
    return document[:-1] + opening + b"x" * (room - len(opening) - 1) + b'"}'
