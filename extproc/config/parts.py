"""What a file says, as a tree in which every value knows where it stands."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from extproc.config.document import Document, Layer, Origin, Place


class Part(Struct, frozen=True):
    value: Any
    """A mapping or list of parts, or a scalar."""
    origin: Origin

    @property
    def entries(self) -> dict[str, "Part"]:
        """Those of a mapping; of anything else none."""
        return self.value if isinstance(self.value, dict) else {}

    def but(self, *names: str) -> "Part":
        """The same mapping without these."""
        kept = {name: part for name, part in self.entries.items() if name not in names}
        return Part(kept, self.origin)

    def data(self) -> Any:
        """What it says, without where."""
        match self.value:
            case dict() as entries:
                return {name: part.data() for name, part in entries.items()}
            case list() as items:
                return [part.data() for part in items]
            case scalar:
                return scalar


def parts(
    document: Document,
    place: Place = (),
    layer: Layer = "policy",
    leaving: Collection[str] = (),
) -> Part:
    """What stands at a place of a file; of a mapping there, without some of its names."""

    def part(data: Any, here: Place) -> Part:
        value = data
        if isinstance(data, dict):
            value = {name: part(inner, (*here, name)) for name, inner in data.items()}
        elif isinstance(data, list):
            value = [part(inner, (*here, index)) for index, inner in enumerate(data)]
        return Part(value, Origin(document.path, document.lines[here], layer))

    data = document.data
    for step in place:
        data = data[step]
    if leaving:
        data = {name: inner for name, inner in data.items() if name not in leaving}
    return part(data, place)


def where(whole: Part) -> tuple[dict[Place, int], dict[Place, Origin]]:
    """The line of every place; and of those that are not the policy file's own, the origin."""
    lines: dict[Place, int] = {}
    foreign: dict[Place, Origin] = {}

    def note(part: Part, place: Place) -> None:
        lines[place] = part.origin.line
        if part.origin.layer != "policy":
            foreign[place] = part.origin
        inner: Any = part.entries.items()
        if isinstance(part.value, list):
            inner = enumerate(part.value)
        for step, each in inner:
            note(each, (*place, step))

    note(whole, ())
    return lines, foreign
