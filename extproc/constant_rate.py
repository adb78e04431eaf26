"""A stream of one size per tick: content while there is some, filling that clients ignore else.

Rule: what leaves at a tick has ``size`` bytes, neither more nor fewer, so that neither how many
events there were nor how long they are shows on the wire, which is what reads topics and prompts
out of encrypted streams (Weiss et al. 2024; Whisper Leak 2025).  Sans-IO: ``tick`` is called when
it is time.  The filling stands only where the content ends with a whole event, line or value.
"""

from typing import Final, Protocol

from extproc.dialects.answers import Answer, Array, Events, Lines
from extproc.padding import Buckets
from extproc.shaping import Rate


class Filler(Protocol):
    """What may stand between two pieces of a stream."""

    tail: int
    """How many bytes at the end of the content must be the last of the stream too."""

    def fill(self, room: int) -> bytes:
        """So many bytes of it."""
        ...


class EventFiller:
    """Comments (WHATWG HTML, section 9.2.6), as those that keep connections alive."""

    tail = 0

    def fill(self, room: int) -> bytes:
        # Blank lines end an event of nothing, which is none.
        return b":" + b"x" * (room - 3) + b"\n\n" if room > 2 else b"\n" * room


class LineFiller:
    """Spaces before the end of a line: readers of lines do not take an empty one.

    So the end of the last line waits for the next line, or for the end.
    """

    tail = 1

    def fill(self, room: int) -> bytes:
        return b" " * room


class ArrayFiller:
    """Spaces between the values of a JSON array."""

    tail = 0

    def fill(self, room: int) -> bytes:
        return b" " * room


def filler(answer: Answer) -> Filler | None:
    """What fills a stream of such answers; None where there is nothing that could."""
    match answer:
        case Events():
            return EventFiller()
        case Lines(streamed=True):
            return LineFiller()
        case Array():
            return ArrayFiller()
        case _:
            return None


_NOTHING: Final = b""


class ConstantRate:
    """``feed`` and ``finish`` as the content comes, ``tick`` as time goes, until ``done``."""

    def __init__(self, rate: Rate, filling: Filler, buckets: Buckets | None = None) -> None:
        self.done = False
        """Whether the last piece has been given out."""
        self.blank = filling.fill(rate.size)
        """What leaves at a tick at which there is nothing to say: the same object every time."""
        self._size, self._filling, self._buckets = rate.size, filling, buckets
        self._content = bytearray()
        self._ended = False
        self._total = 0
        """Bytes given out."""
        self._until = 0
        """Bytes of the whole stream, once its content has been given out."""

    @property
    def held(self) -> int:
        """Bytes of content that have not been given out."""
        return len(self._content)

    def feed(self, data: bytes) -> None:
        """More content: whole events, lines or values."""
        self._content += data

    def finish(self) -> None:
        self._ended = True

    def tick(self) -> bytes:
        """What leaves now."""
        self._total += self._size
        content = self._content
        if not self._ended and len(content) <= self._filling.tail:
            return self.blank
        if self._ended and len(content) <= self._size and self._may_end():
            self.done = True
            last = self._taken(self._kept())
            return self._filled(len(content), last)
        return self._filled(min(self._size, len(content) - self._kept()), _NOTHING)

    def _kept(self) -> int:
        """Bytes that must be the last of the stream."""
        return min(self._filling.tail, len(self._content))

    def _may_end(self) -> bool:
        """Whether the stream has one of the lengths that streams may have: not how many ticks its
        content took is seen, but in which bucket that is.
        """
        if not self._until:
            self._until = self._total if self._buckets is None else self._buckets.of(self._total)
        return self._total >= self._until

    def _taken(self, count: int) -> bytes:
        """The last bytes of the content."""
        last = bytes(self._content[len(self._content) - count :])
        del self._content[len(self._content) - count :]
        return last

    def _filled(self, count: int, last: bytes) -> bytes:
        """The first bytes of the content, the filling, and what must be last."""
        first = bytes(self._content[:count])
        del self._content[:count]
        room = self._size - len(first) - len(last)
        return first + (self._filling.fill(room) if room else _NOTHING) + last
