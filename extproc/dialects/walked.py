"""What a stream of values keeps of the places that it is walking (see value_stream.py)."""

from dataclasses import dataclass, field
from typing import Final

from extproc.dialects.gathered import Collected, Gathered
from extproc.dialects.shape import Fields, Items, Rewrite
from extproc.errors import UpstreamError

NAME_COST: Final = 64
"""Bytes that Python spends on a string, about."""


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
    """A gathered value that is being walked: what passes of it waits until it is whole."""

    node: Gathered
    place: str
    depth: int
    """How many frames there are around it."""
    run: Rewrite
    """Of what stands around it."""
    collected: Collected
    size: int = 0
    """Bytes that wait, but for the vectors' own."""
