"""Answer bytes in, at the fidelity of the policy out.

Rule: nothing leaves that was not read.  The output does not depend on how the input was cut
(design law 2), and what needs no change leaves byte for byte (law 3).
"""

from collections.abc import Collection, Iterator
from typing import Protocol

import orjson

from extproc.dialects.request import repeats_a_key
from extproc.dialects.shape import Node, Rewrite
from extproc.dialects.value_stream import ValueStream
from extproc.errors import UpstreamError
from extproc.framing.sse import Event, EventStream, render

WHOLE = 40 << 10
"""Bytes up to which a document is parsed at once.  Above, it is rewritten value by value, so that
neither memory nor the time one call takes grows with the document."""


class BodyRewriter(Protocol):
    @property
    def held(self) -> int:
        """Bytes taken in and not given out yet."""
        ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what may leave.  Raise UpstreamError where the answer is not its API's."""
        ...

    def finish(self) -> Iterator[bytes]:
        """Yield what the end of the body lets leave."""
        ...


class DocumentRewriter:
    """One JSON document: parsed whole where it is small, else as a stream of values."""

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._node, self._run, self._cap = node, run, cap
        self._buffer = bytearray()
        self._stream: ValueStream | None = None

    @property
    def held(self) -> int:
        return len(self._buffer) if self._stream is None else self._stream.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream is not None:
            yield self._stream.feed(data)
            return
        self._buffer += data
        if len(self._buffer) > WHOLE:
            self._stream = ValueStream(self._node, self._run, self._cap)
            buffered, self._buffer = bytes(self._buffer), bytearray()
            yield self._stream.feed(buffered)

    def finish(self) -> Iterator[bytes]:
        if self._stream is not None:
            yield self._stream.finish()
        else:
            yield rewritten(bytes(self._buffer), self._node, self._run)


class EventRewriter:
    """A stream of server-sent events, each with one JSON document or a sentinel as its data."""

    def __init__(self, node: Node, run: Rewrite, cap: int, sentinels: Collection[bytes]) -> None:
        self._node, self._run, self._sentinels = node, run, sentinels
        self._events = EventStream(cap)

    @property
    def held(self) -> int:
        return self._events.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        return map(self._rewrite, self._events.feed(data))

    def finish(self) -> Iterator[bytes]:
        return map(self._rewrite, self._events.finish())

    def _rewrite(self, event: Event) -> bytes:
        if event.data is None:
            return b":\n\n" if event.raw.lstrip(b"\r\n").startswith(b":") else b""
        data = event.data
        if data not in self._sentinels:
            data = rewritten(data, self._node, self._run)
        return event.raw if data is event.data and event.plain else render(data)


def rewritten(document: bytes, node: Node, run: Rewrite) -> bytes:
    """One JSON document at the fidelity of the run: itself where nothing changed.

    Raise UpstreamError where it is no JSON, or not what the tree says.
    """
    try:
        value = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise UpstreamError("the answer is not valid JSON") from error
    after = node.rewrite(value, run, "")
    try:
        # A repeated key hides from the tree, which reads its last value only.
        if after is value and not repeats_a_key(document, value):
            return document
        return orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise UpstreamError("the answer is nested too deeply to be checked") from error
