"""Length-prefixed messages (gRPC over HTTP/2)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from extproc.dialects.answers import Frames
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.framing.frames import FrameStream, frame


class FrameRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, answer: Frames, run: Rewrite, cap: int) -> None:
        self._message, self._single = answer.message, not answer.streamed
        self._run = run
        self._frames = FrameStream(cap)
        self._count = self._working = 0

    @property
    def held(self) -> int:
        return self._frames.held + self._working

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        for message in self._frames.feed(data):
            yield from self._rewrite(message)

    def finish(self) -> Iterator[bytes | None]:
        yield from self._frames.finish()
        if self._single and not self._count:
            raise UpstreamError("the answer holds no message")

    def cut(self, _error: bytes) -> bytes | None:
        """A reset is what gRPC clients report; a status could only follow in trailers."""
        return None

    def _rewrite(self, message: bytes) -> Iterator[bytes | None]:
        self._count += 1
        if self._single and self._count > 1:
            raise UpstreamError("the answer holds more than one message")
        after = self._message.rewrite(message, self._run)
        if not isinstance(after, bytes):
            self._working = len(message)
            after = yield from after
            self._working = 0
        yield frame(after)
