"""A JSON array that leaves element by element, each of them whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from extproc.dialects.shape import Items, Json, Node, Rewrite
from extproc.dialects.value_stream import ValueStream
from extproc.errors import UpstreamError


class ArrayRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._stream = ValueStream(Items(_Element(node)), run, cap)
        self._last = b""
        """Of what has left, the last byte that is no space."""

    @property
    def held(self) -> int:
        return self._stream.held

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        try:
            out = yield from self._stream.turns(data)
        except UpstreamError:
            yield self._noted(self._stream.passed())
            raise
        yield self._noted(out)

    def finish(self) -> Iterator[bytes]:
        yield self._noted(self._stream.finish())

    def cut(self, error: bytes) -> bytes | None:
        """The error as the last element; behind an array that has ended nothing can be said."""
        if self._stream.ended:
            return None
        before = {b"": b"[", b"[": b"", b",": b""}.get(self._last, b",")
        return before + error + b"]"

    def _noted(self, out: bytes) -> bytes:
        self._last = out.rstrip()[-1:] or self._last
        return out


@dataclass(frozen=True, slots=True)
class _Element:
    """One element, which is read whole: as a stream its node would leave in parts."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return self.node.rewrite(value, run, place)
