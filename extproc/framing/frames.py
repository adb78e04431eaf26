"""gRPC's length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message").

One octet says whether the message is compressed, four its length, big-endian.  Rule: compressed
messages are refused, since what they hold cannot be checked; requests are stripped of the fields
that would allow them.
"""

import struct
from collections.abc import Iterator
from typing import Final

from extproc.errors import UpstreamError

_PREFIX: Final = struct.Struct(">BI")


class FrameStream:
    """Cuts a body into messages; one of more than ``cap`` bytes is an UpstreamError."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """Bytes of the message that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while len(self._buffer) >= _PREFIX.size:
            compressed, size = _PREFIX.unpack_from(self._buffer)
            if compressed:
                raise UpstreamError("a message is compressed although nobody asked for that")
            if size > self._cap:
                raise UpstreamError(f"a message is larger than {self._cap} bytes")
            end = _PREFIX.size + size
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_PREFIX.size : end])
            del self._buffer[:end]
            yield message

    def finish(self) -> Iterator[bytes]:
        """Raise UpstreamError where the body ended in the middle of a message."""
        if self._buffer:
            raise UpstreamError("the answer ends in the middle of a message")
        return iter(())


def frame(message: bytes) -> bytes:
    """A message with its prefix, not compressed."""
    return _PREFIX.pack(0, len(message)) + message
