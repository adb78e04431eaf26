"""A policy file that could be read, and where every part of it stands.

Rule: an error names the file and line of what is wrong, whichever file that came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from extproc.config.files import Files
from extproc.errors import ConfigError

Place = tuple[str | int, ...]
"""Where something stands: keys and indices, from the root."""
Layer = Literal["policy", "default", "override"]
"""Whose a value is: of the policy file itself, or of one part of its base file."""


class Origin(Struct, frozen=True):
    """A line, and in which part of what makes a policy."""

    path: Path
    line: int
    layer: Layer = "policy"

    def __str__(self) -> str:
        mark = f" {self.layer}" if self.layer != "policy" else ""
        return f"{self.path}:{self.line}{mark}"


@dataclass(frozen=True, slots=True)
class Overruled:
    """What a file says and an override does not let stand."""

    place: Place
    origin: Origin
    by: Origin


@dataclass(frozen=True, slots=True)
class Document:
    """What the file says; nothing of it is checked yet."""

    path: Path
    data: Any
    lines: Mapping[Place, int]
    """By place: the line of a key, or of an item."""
    foreign: Mapping[Place, Origin] = field(default_factory=dict)
    """What stands in another file, by place."""
    overruled: tuple[Overruled, ...] = ()
    files: Files = field(default_factory=Files, repr=False, compare=False)
    """Through which every file is read that the policy names."""

    def line(self, place: Place) -> int:
        """The line of a place, or else of what it would stand in."""
        return self.lines[self._written(place)]

    def origin(self, place: Place) -> Origin:
        """Where a place stands, or else what it would stand in."""
        written = self._written(place)
        return self.foreign.get(written) or Origin(self.path, self.lines[written])

    def mention(self, place: Place) -> str:
        """The line of a place, for a message about another one of this file."""
        origin = self.origin(place)
        return f"line {origin.line}" + (f" of {origin.path}" if origin.path != self.path else "")

    def folder(self, place: Place) -> Path:
        """Where relative paths start that stand there."""
        return self.origin(place).path.parent

    def fault(self, place: Place, wrong: str, remedy: str) -> ConfigError:
        """The error that says: ``FILE:LINE: dotted.path: what is wrong; what to do``."""
        origin = self.origin(place)
        return fault(origin.path, origin.line, f"{dotted(place)}: {wrong}", remedy)

    def _written(self, place: Place) -> Place:
        while place not in self.lines:
            place = place[:-1]
        return place


def fault(path: Path, line: int, wrong: str, remedy: str) -> ConfigError:
    return ConfigError(f"{path}:{line}: {wrong}; {remedy}")


def dotted(place: Place) -> str:
    """``routes[0].path``; the root is ``the file``.  Keys too long for a name are cut."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step:.64}" for step in place)
    return steps.removeprefix(".") or "the file"
