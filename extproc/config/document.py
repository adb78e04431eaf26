"""A policy file that could be read, and the line on which every part of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extproc.config.files import Files
from extproc.errors import ConfigError

Place = tuple[str | int, ...]
"""Where something stands: keys and indices, from the root."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the file says; nothing of it is checked yet."""

    path: Path
    data: Any
    lines: Mapping[Place, int]
    """By place: the line of a key, or of an item."""
    files: Files = field(default_factory=Files, repr=False, compare=False)
    """Through which every file is read that the policy names."""

    def line(self, place: Place) -> int:
        """The line of a place, or else of what it would stand in."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def fault(self, place: Place, wrong: str, remedy: str) -> ConfigError:
        """The error that says: ``FILE:LINE: dotted.path: what is wrong; what to do``."""
        return fault(self.path, self.line(place), f"{dotted(place)}: {wrong}", remedy)


def fault(path: Path, line: int, wrong: str, remedy: str) -> ConfigError:
    return ConfigError(f"{path}:{line}: {wrong}; {remedy}")


def dotted(place: Place) -> str:
    """``routes[0].path``; the root is ``the file``.  Keys too long for a name are cut."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step:.64}" for step in place)
    return steps.removeprefix(".") or "the file"
