"""A JSON array that leaves element by element."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from extproc.dialects.shape import Items, Node, Rewrite
from extproc.dialects.value_stream import ValueStream


class ArrayRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._stream = ValueStream(Items(node), run, cap)

    @property
    def held(self) -> int:
        return self._stream.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._stream.feed(data)

    def finish(self) -> Iterator[bytes]:
        yield self._stream.finish()

    def cut(self, _error: bytes) -> bytes | None:
        return None
