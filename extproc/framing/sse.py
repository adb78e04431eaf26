"""Server-sent events (WHATWG HTML, section 9.2), as model servers send them.

Rule: only ``data`` passes.  Comments keep their place, as they keep connections alive, and lose
their text; ``event``, ``id`` and ``retry`` fields, which no dialect here uses, are dropped.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from extproc.errors import UpstreamError

_BOM = b"\xef\xbb\xbf"
# Atomic groups: CR LF is one line end, never two.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(Struct, frozen=True):
    """One event: its bytes as they came, and its data."""

    raw: bytes
    data: bytes | None
    """The data lines joined by LF; None where there are none."""
    plain: bool
    """Whether ``raw`` holds data lines and nothing else."""


class EventStream:
    """Cuts a body into events; an event larger than ``cap`` bytes is an UpstreamError."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._buffer = bytearray()
        self._searched = 0
        self._started = False

    @property
    def held(self) -> int:
        """Bytes of the event that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterable[Event]:
        if self._started and not self._buffer and len(data) <= self._cap and _is_one_line(data):
            return (Event(data, data[6:-2], plain=True),)  # the usual piece: one event, whole
        return self._cut(data)

    def _cut(self, data: bytes) -> Iterator[Event]:
        self._buffer += data
        if not self._started and not self._start():
            return
        while (end := self._event_end()) is not None:
            yield _event(self._take(end))
        self._searched = len(self._buffer)
        self._bound(self._searched)

    def finish(self) -> Iterator[Event]:
        """Yield the last event, where the body ended without its blank line."""
        while match := _BLANK_LINE.search(self._buffer):
            yield _event(self._take(match.end()))
        if self._buffer:
            yield _event(self._take(len(self._buffer)))

    def _start(self) -> bool:
        """Drop a byte order mark; False while the body may still turn out to begin with one."""
        if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
            return False
        if self._buffer.startswith(_BOM):
            del self._buffer[: len(_BOM)]
        self._started = True
        return True

    def _event_end(self) -> int | None:
        # A blank line of four bytes may have begun in what was searched before.
        match = _BLANK_LINE.search(self._buffer, max(0, self._searched - 3))
        if match is None:
            return None
        end = match.end()
        # A CR that ends the buffer may be half of a CR LF.
        return None if end == len(self._buffer) and self._buffer.endswith(b"\r") else end

    def _take(self, end: int) -> bytes:
        self._bound(end)
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._searched = 0
        return raw

    def _bound(self, size: int) -> None:
        if size > self._cap:
            raise UpstreamError(f"an event is larger than {self._cap} bytes")


def render(data: bytes, name: str = "") -> bytes:
    """An event with this data, which may have several lines, and a name of one line or none."""
    event = b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
    return b"event: " + name.encode() + b"\n" + event if name else event


def _event(raw: bytes) -> Event:
    # The general way gives the same.
    if _is_one_line(raw):
        return Event(raw, raw[6:-2], plain=True)
    lines = [line for line in _LINE_END.split(raw) if line]
    data = [_value(line) for line in lines if _is_data(line)]
    return Event(raw, b"\n".join(data) if data else None, plain=len(data) == len(lines))


def _is_one_line(raw: bytes) -> bool:
    """Whether it is one whole event of one data line, as nearly all are."""
    return (
        raw.startswith(b"data: ")
        and raw.endswith(b"\n\n")
        and raw.find(b"\n") == len(raw) - 2
        and b"\r" not in raw
    )


def _is_data(line: bytes) -> bool:
    return line == b"data" or line.startswith(b"data:")


def _value(line: bytes) -> bytes:
    return line[5:].removeprefix(b" ")
