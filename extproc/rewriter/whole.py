"""A body that is read whole: binary tensors, CSV, octets."""

from collections.abc import Iterator, Mapping

from extproc.dialects.answers import Reading, Whole
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError


class WholeRewriter:
    def __init__(
        self, reading: Reading, headers: Mapping[str, str], run: Rewrite, cap: int
    ) -> None:
        self._reading, self._headers, self._run, self._cap = reading, headers, run, cap
        self._body = bytearray()
        self.set_headers: Mapping[str, str] = {}

    @property
    def held(self) -> int:
        return len(self._body)

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        if len(self._body) + len(data) > self._cap:
            raise UpstreamError(f"the answer is larger than {self._cap} bytes")
        self._body += data
        return iter(())

    def finish(self) -> Iterator[bytes | None]:
        whole = self._reading.rewrite(bytes(self._body), self._headers, self._run)
        if not isinstance(whole, Whole):
            whole = yield from whole
        self.set_headers = whole.set_headers
        yield whole.body

    def cut(self, _error: bytes) -> bytes | None:
        return None
