"""An object whose ``type`` says which fields it has.

Rule: a type that the tree does not name does not pass, nor does an object without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from extproc.dialects.shape import Json, Node, Rewrite
from extproc.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class Variants:
    nodes: Mapping[str, Node]
    """By type."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, dict):
            raise UpstreamError(f"{place or 'the answer'} is not an object")
        node = self.of(value)
        # Places name what the tree knows, never a type that it does not.
        if node is None:
            return run.drop(f"{place}(*)")
        return node.rewrite(value, run, self.place(value, place))

    def of(self, value: Json) -> Node | None:
        """What this value is; None where the tree does not say, or it is no object."""
        kind = value.get("type") if isinstance(value, dict) else None
        return self.nodes.get(kind) if isinstance(kind, str) else None

    def place(self, value: Json, place: str) -> str:
        """The place of an object whose type the tree knows."""
        return f"{place}({value['type']})"
