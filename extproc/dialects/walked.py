"""What a stream of values keeps of the places that it is walking (see value_stream.py)."""

from dataclasses import dataclass, field
from typing import Final

import orjson

from extproc.dialects.gathered import Collected, Gathered
from extproc.dialects.json_scanner import CLOSE_OBJECT, OPEN_ARRAY
from extproc.dialects.shape import Fields, Gate, Items, Json, Leaf, Node, Opaque, Rewrite
from extproc.errors import UpstreamError

NAME_COST: Final = 64
"""Bytes that Python spends on a string, about."""


_NULL: Final = ord("n")


class _Unknown:
    """The value of a field that the tree does not name."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return run.drop(place)


UNKNOWN: Final = _Unknown()


def is_closed(node: Node, byte: int, run: Rewrite) -> bool:
    """Whether a value that begins so does not pass."""
    match node:
        case Gate(kind) | Leaf(kind) | Opaque(kind):
            return byte != _NULL and kind not in run.edits
        case _:
            return node is UNKNOWN


@dataclass(slots=True)
class Frame:
    """An object or array that is being walked."""

    node: Fields | Items
    place: str
    closer: int
    kept: bool = False
    """Whether something passed already: what passes next needs a comma."""
    names: set[str] = field(default_factory=set)
    names_size: int = 0
    items: int = 0
    """How many items have begun, where they are counted."""

    def add(self, name: str, cap: int) -> None:
        """Note a member's name; raise UpstreamError where it is repeated, or names are too many."""
        self.names_size += len(name) + NAME_COST
        if name in self.names:
            raise UpstreamError(f"{self.place or 'the answer'} repeats a key")
        if self.names_size > cap:
            raise UpstreamError(f"the keys of {self.place or 'the answer'} are over {cap} bytes")
        self.names.add(name)


@dataclass(slots=True)
class Aside:
    """A gathered value that is being walked.

    Its vectors are kept as numbers, and what is left of it, until all of it is there; neither is
    ever more than the cap.
    """

    node: Gathered
    place: str
    depth: int
    """How many frames there are around it."""
    run: Rewrite
    """Of what stands around it."""
    collected: Collected
    size: int = 0
    """Bytes that wait, but for the vectors' own."""

    @property
    def held(self) -> int:
        return self.size + self.collected.size

    def bound(self, waiting: list[bytes | bytearray], cap: int) -> None:
        """Note what waits.  Raise UpstreamError where that, or the vectors, are over the cap."""
        whole = b"".join(waiting)
        waiting[:] = [whole]
        self.size = len(whole)
        if max(self.size, self.collected.size) > cap:
            raise UpstreamError(f"the embeddings are together larger than {cap} bytes")

    def filled(self, hollow: Json) -> Json:
        """What waited, with what became of its vectors."""
        return hollow if hollow is None else self.node.filled(hollow, self.collected, self.place)


def flat_object(
    buffer: bytearray, at: int, limit: int, cap: int
) -> tuple[dict[str, Json] | None, int]:
    """An object that begins here, and where it ends, if all of it is here, it holds no arrays or
    objects and is written as we write; else None.
    """
    end = buffer.find(CLOSE_OBJECT, at, limit) + 1
    if not end or buffer.find(OPEN_ARRAY, at, end) >= 0:
        return None, at
    raw = buffer[at:end]
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, at
    # Else it may repeat a key; and a walk bounds the keys.
    if orjson.dumps(value) != raw or len(value) * NAME_COST + len(raw) > cap:
        return None, at
    return value, end
