"""How deep, wide and long a JSON document may be.

Rule: level by level and never by recursion, so that no nesting exhausts the stack, and what is too
deep is not looked into.
"""

from typing import Any, Final

from msgspec import Struct

from extproc.cause import Cause
from extproc.errors import ClientError
from extproc.refusal import INVALID_REQUEST
from extproc.validation.place import at, shown

_REFUSED: Final = INVALID_REQUEST.called(Cause.INPUT_SIZE)

Json = Any
"""What orjson.loads returns."""
_Level = list[tuple[str, Json]]
_HOLDING: Final = (dict, list)


class Size(Struct, frozen=True):
    """Bounds, None where there is none."""

    depth: int | None = None
    """Of objects and arrays in one another; the document itself is one."""
    array: int | None = None
    """Items of one array, or members of one object."""
    string: int | None = None
    """Characters of one string, or of one name."""
    count: int = 5_000
    """Objects and arrays in all: a look at each takes some two microseconds."""

    def check(self, document: Json) -> None:
        """Raise ClientError where a bound is passed."""
        level: _Level = [("", document)]
        depth = seen = 0
        while level:
            depth, seen = depth + 1, seen + len(level)
            if self.depth is not None and depth > self.depth:
                wrong = f"is nested deeper than {self.depth} levels"
                raise ClientError(f"{shown(level[0][0])} {wrong}.", _REFUSED)
            level = self._below(level, self.count - seen)

    def _below(self, level: _Level, left: int) -> _Level:
        below: _Level = []
        for place, value in level:
            below += self._inside(place, value, left - len(below))
        return below

    def _inside(self, place: str, value: Json, left: int) -> _Level:
        if self.array is not None and len(value) > self.array:
            raise ClientError(f"{shown(place)} holds more than {self.array} items.", _REFUSED)
        named = isinstance(value, dict)
        members = [*value.values()] if named else value
        self._check_strings(place, [*value, *members] if named else members)
        # Counted before anything is made of them.
        if sum([type(each) in _HOLDING for each in members]) > left:
            raise ClientError(
                f"The request holds more than {self.count} objects and arrays.", _REFUSED
            )
        if named:
            return [(at(place, name), each) for name, each in value.items() if _holds(each)]
        inner = f"{place}[]"
        return [(inner, each) for each in members if _holds(each)]

    def _check_strings(self, place: str, members: list[Json]) -> None:
        most = self.string
        if most is None:
            return
        if max([len(each) for each in members if type(each) is str], default=0) > most:
            raise ClientError(f"{shown(place)} holds text longer than {most} characters.", _REFUSED)


def _holds(value: Json) -> bool:
    return type(value) in _HOLDING
