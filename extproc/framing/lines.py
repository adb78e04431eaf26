"""Lines of text (NDJSON, JSON Lines): each ends with LF, the last may lack it."""

from collections.abc import Iterator

from extproc.errors import UpstreamError


class LineStream:
    """Cuts a body into lines, without their ends; a line over ``cap`` bytes is an UpstreamError."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._parts: list[bytes] = []
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes of the line that is not complete yet."""
        return self._held

    def feed(self, data: bytes) -> Iterator[bytes]:
        *complete, rest = data.split(b"\n")
        for line in complete:
            yield self._take(line)
        if rest:
            self._keep(rest)

    def finish(self) -> Iterator[bytes]:
        """Yield the last line, where the body ended without its end."""
        if self._parts:
            yield self._take(b"")

    def _keep(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._cap:
            raise UpstreamError(f"a line is larger than {self._cap} bytes")
        self._parts.append(part)

    def _take(self, part: bytes) -> bytes:
        self._keep(part)
        line = b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        return line
