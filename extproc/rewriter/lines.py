"""JSON documents, one a line (NDJSON)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from extproc.dialects.shape import Node, Rewrite
from extproc.framing.lines import LineStream
from extproc.rewriter.document import rewritten


class LineRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._node, self._run = node, run
        self._lines = LineStream(cap)

    @property
    def held(self) -> int:
        return self._lines.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        return map(self._rewrite, self._lines.feed(data))

    def finish(self) -> Iterator[bytes]:
        return map(self._rewrite, self._lines.finish())

    def cut(self, error: bytes) -> bytes | None:
        return error + b"\n"

    def _rewrite(self, line: bytes) -> bytes:
        document = line.strip()
        if not document:
            return b""
        data = rewritten(document, self._node, self._run)
        return b"" if data is None else data + b"\n"
