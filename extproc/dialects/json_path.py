"""Paths into JSON as a policy writes them: ``predictions[].score``, ``vectors[][]``, ``result.*``.

Names of members are joined by dots; ``[]`` stands for each item of an array, ``*`` for each member
of an object.  A path names scalars: what is declared of it holds for each of them.  Names with a
dot, a bracket, an asterisk or space in them cannot be written, so what they hold never passes.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, Generic, TypeVar

Leaf = TypeVar("Leaf")

EACH: Final = "[]"
ANY: Final = "*"
LONGEST: Final = 16
"""Steps of a path."""

Path = tuple[str, ...]
"""Names, ``[]`` and ``*``."""

_NAME: Final = r"[^.\[\]*\s\x00-\x1f\x7f-\x9f]{1,128}"
_PATH: Final = re.compile(rf"(?:(?:{_NAME}|\*)(?:\[\])*|(?:\[\])+)(?:\.(?:{_NAME}|\*)(?:\[\])*)*")
_STEP: Final = re.compile(rf"{_NAME}|\*|\[\]")
_WRITABLE: Final = re.compile(_NAME)


def parse(text: str) -> Path | None:
    """The steps of a path, None where it is none."""
    if not _PATH.fullmatch(text):
        return None
    steps = tuple(_STEP.findall(text))
    return steps if len(steps) <= LONGEST else None


def shown(path: Path) -> str:
    """The path as it is written."""
    return "".join(_shown(path))


def _shown(path: Path) -> Iterator[str]:
    for number, step in enumerate(path):
        yield step if step == EACH or not number else f".{step}"


def writable(name: str) -> bool:
    """Whether a member of this name can be written as a step."""
    return bool(_WRITABLE.fullmatch(name))


class Branch(Generic[Leaf]):
    """One place of a document: it ends here, or goes on by names, by items or by members."""

    def __init__(self) -> None:
        self.leaf: Leaf | None = None
        self.steps: dict[str, Branch[Leaf]] = {}

    def grow(self, path: Path, leaf: Leaf) -> bool:
        """Add a path with what is declared of it; False where another says something else."""
        at = self
        for step in path:
            if at.leaf is not None or not _alike({step, *at.steps}):
                return False
            at = at.steps.setdefault(step, Branch())
        if at.leaf is not None or at.steps:
            return False
        at.leaf = leaf
        return True

    def ends(self, step: str) -> Leaf | None:
        """What is declared of it one such step further."""
        inner = self.steps.get(step)
        return inner.leaf if inner is not None else None


def _alike(steps: AbstractSet[str]) -> bool:
    """Whether they are names, or the one step into an array, or the one into any member."""
    return len(steps) == 1 or steps.isdisjoint((EACH, ANY))
