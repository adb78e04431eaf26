"""Vectors as one body of octets, with their shapes in a header field beside it.

Rule: the header field says where in the body each vector stands, and nothing else of the body is
there: vectors that overlap, leave a gap or do not fill it make the answer unreadable.  Both are
written anew, since a mutator may make vectors shorter.

Source: vLLM, ``encoding_format: bytes``: the field ``metadata`` holds a JSON object with ``id``,
``created``, ``model``, ``usage`` and, for each vector, ``data[]`` with ``index``, ``embed_dtype``,
``endianness``, ``start``, ``end`` and ``shape``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson

from extproc.dialects.answers import Whole
from extproc.dialects.gathered import Collected
from extproc.dialects.request import repeats_a_key
from extproc.dialects.shape import Anything, Fields, Node, Rewrite
from extproc.dialects.vectors import SINGLE, edited, from_octets
from extproc.errors import UpstreamError
from extproc.prediction import Vector

OCTETS: Final = "application/octet-stream"
_HEADER: Final = "metadata"
_PLACE: Final = "metadata.data[]"


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    index: int
    embed_dtype: str
    endianness: str
    start: int
    end: int
    shape: list[int]

    def stands_at(self, index: int, start: int) -> bool:
        """Whether this is one vector of little-endian float32, the next in the body."""
        return (
            (self.index, self.start) == (index, start)
            and self.embed_dtype == "float32"
            and self.endianness in {"native", "little"}
            and self.shape == [(self.end - start) // SINGLE.itemsize]
            and (self.end - start) % SINGLE.itemsize == 0
        )


@dataclass(frozen=True, slots=True)
class Octets:
    """A reading of such bodies."""

    around: Mapping[str, Node]
    """What may stand in the header field beside ``data``."""

    def rewrite(self, body: bytes, headers: Mapping[str, str], run: Rewrite) -> Whole:
        read = _metadata(headers)
        items = _items(read.get("data"), len(body))
        known = Fields({**self.around, "data": Anything()}).rewrite(read, run, _HEADER)
        after = self._vectors(body, items, run)
        described = {**known, "data": _described(items, after)}
        octets = b"".join(vector.astype(SINGLE).tobytes() for vector in after)
        return Whole(octets, {_HEADER: json.dumps(described)})

    def _vectors(self, body: bytes, items: list[_Item], run: Rewrite) -> list[Vector]:
        if not run.gathers:
            return [self._vector(body, item, run) for item in items]
        collected = Collected(run)
        for item in items:
            self._vector(body, item, collected.first)
        second = collected.second()
        return [self._vector(body, item, second) for item in items]

    def _vector(self, body: bytes, item: _Item, run: Rewrite) -> Vector:
        if "embedding" not in run.edits:
            raise UpstreamError("the answer holds nothing that may pass")
        run.at = item.index
        try:
            before = from_octets(body[item.start : item.end], _PLACE)
            after = edited(before, run.edit("embedding"))
        finally:
            run.at = None
        if after is None:
            raise UpstreamError("the answer holds nothing that may pass")
        return after


def _metadata(headers: Mapping[str, str]) -> dict[str, Any]:
    raw = headers.get(_HEADER, "").encode()
    try:
        read = orjson.loads(raw)
        repeated = repeats_a_key(raw, read)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError) as error:
        raise UpstreamError(f"the header field {_HEADER} is not valid JSON") from error
    if not isinstance(read, dict) or repeated:
        raise UpstreamError(f"the header field {_HEADER} is not a JSON object without repeats")
    return read


def _items(data: Any, size: int) -> list[_Item]:
    """The vectors in the order of the body, which they fill from its start to its end."""
    try:
        items = msgspec.convert(data, list[_Item])
    except msgspec.ValidationError as error:
        raise UpstreamError(f"{_PLACE} does not describe vectors") from error
    at = 0
    for index, item in enumerate(items):
        if not item.stands_at(index, at):
            raise UpstreamError(f"{_PLACE} does not describe a vector of float32 after the other")
        at = item.end
    if at != size:
        raise UpstreamError(f"{_PLACE} does not describe the whole body")
    return items


def _described(items: list[_Item], vectors: list[Vector]) -> list[dict[str, Any]]:
    described, at = [], 0
    for item, vector in zip(items, vectors, strict=True):
        item.start, item.end = at, at + vector.size * SINGLE.itemsize
        item.shape, at = [vector.size], item.end
        described.append(msgspec.to_builtins(item))
    return described
