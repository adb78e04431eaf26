"""One JSON document: parsed whole where it is small, else as a stream of values."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import orjson

from extproc.dialects.answers import Steps
from extproc.dialects.request import repeats_a_key
from extproc.dialects.shape import ABSENT, Json, Node, Rewrite
from extproc.dialects.turns import in_turns
from extproc.dialects.value_stream import ValueStream
from extproc.errors import UpstreamError

WHOLE: Final = 128 << 10
"""Bytes up to which a document is parsed at once.  Above, it is rewritten value by value, so that
neither memory nor the time one call takes grows with the document."""
_STEP: Final = 8 << 10
"""Bytes that are rewritten before others have a turn."""


class DocumentRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._node, self._run, self._cap = node, run, cap
        self._buffer = bytearray()
        self._stream: ValueStream | None = None
        self._passed = False
        """Whether anything of a large document has passed."""

    @property
    def held(self) -> int:
        return len(self._buffer) if self._stream is None else self._stream.held

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        if self._stream is not None:
            passing = yield from self._stream.turns(data)
            yield self._passing(passing)
            return
        self._buffer += data
        if len(self._buffer) > WHOLE:
            self._stream = ValueStream(self._node, self._run, self._cap)
            buffered, self._buffer = bytes(self._buffer), bytearray()
            # Read until now, to be rewritten in one go: in steps, between which others have a turn.
            for at in range(0, len(buffered), _STEP):
                passing = yield from self._stream.turns(buffered[at : at + _STEP])
                yield self._passing(passing)
                yield None

    def finish(self) -> Iterator[bytes | None]:
        if self._stream is None:
            whole = yield from in_steps(bytes(self._buffer), self._node, self._run)
        else:
            whole = self._passing(self._stream.finish())
        if whole is None or not (self._passed or whole.strip()):
            raise UpstreamError("the answer holds nothing that may pass")
        yield whole

    def _passing(self, data: bytes) -> bytes:
        self._passed = self._passed or bool(data.strip())
        return data

    def cut(self, _error: bytes) -> bytes | None:
        return None


def rewritten(document: bytes, node: Node, run: Rewrite) -> bytes | None:
    """One JSON document at the fidelity of the run: itself where nothing changed, None where
    nothing of it passes.

    Raise UpstreamError where it is no JSON, or not what the tree says.
    """
    value = _parsed(document)
    return _written(node.rewrite(value, run, ""), document, value, run)


def in_steps(document: bytes, node: Node, run: Rewrite) -> Steps[bytes | None]:
    """The same; where it is long, others have their turn meanwhile."""
    if len(document) <= _STEP:
        return rewritten(document, node, run)
    value = _parsed(document)
    yield
    after = yield from in_turns(node, value, run, "", len(document))
    yield
    return _written(after, document, value, run)


def _parsed(document: bytes) -> Json:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise UpstreamError("the answer is not valid JSON") from error


def _written(after: Json, document: bytes, value: Json, run: Rewrite) -> bytes | None:
    if after is ABSENT:
        return None
    try:
        # A repeated key hides from the tree, which reads its last value only.
        same = after is value and not run.told.alike
        if same and not repeats_a_key(document, value):
            return document
        return orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise UpstreamError("the answer is nested too deeply to be checked") from error
