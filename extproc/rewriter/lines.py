"""JSON documents, one a line (NDJSON)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from extproc.dialects.shape import Node, Rewrite
from extproc.framing.lines import LineStream
from extproc.rewriter.document import in_steps


class LineRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._node, self._run = node, run
        self._lines = LineStream(cap)

    @property
    def held(self) -> int:
        return self._lines.held

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        for line in self._lines.feed(data):
            yield from self._rewrite(line)

    def finish(self) -> Iterator[bytes | None]:
        for line in self._lines.finish():
            yield from self._rewrite(line)

    def cut(self, error: bytes) -> bytes | None:
        return error + b"\n"

    def _rewrite(self, line: bytes) -> Iterator[bytes | None]:
        document = line.strip()
        if document:
            data = yield from in_steps(document, self._node, self._run)
            yield b"" if data is None else data + b"\n"
