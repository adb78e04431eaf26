"""Token counts, wherever an answer tells them.

Rule: they are noted before it is known what passes, and change nothing of it.
"""

from dataclasses import dataclass
from typing import Final

from extproc.dialects.shape import Json, Node, Rewrite
from extproc.prediction import Usage

_LARGEST: Final = (1 << 53) - 1
"""What every reader of JSON holds exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A value that tells how many tokens an answer took: noted before it is known what passes.

    What is no count is not noted, and does not end the answer: what type it must have to pass is
    for the node to say, and what an unknown count costs for those who count.
    """

    node: Node
    input: tuple[str, ...] | None = None
    """The members, by dotted path, that the tokens of the input add up from; none for the value
    itself."""
    output: tuple[str, ...] | None = None
    """Of what the model wrote."""
    added: bool = False
    """Each such value counts tokens of its own.  Else it tells the same again, as it grows."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        self.note(value, run)
        return self.node.rewrite(value, run, place)

    def note(self, value: Json, run: Rewrite) -> None:
        before = run.told.usage
        if self.input is not None and (told := _count(value, self.input)) is not None:
            told = self._joined(before.input_tokens, told)
            run.told.usage = before = Usage(told, before.output_tokens)
        if self.output is not None and (told := _count(value, self.output)) is not None:
            told = self._joined(before.output_tokens, told)
            run.told.usage = Usage(before.input_tokens, told)

    def _joined(self, before: int | None, told: int) -> int:
        if before is None:
            return told
        return min(before + told, _LARGEST) if self.added else max(before, told)


def _count(value: Json, paths: tuple[str, ...]) -> int | None:
    """The sum of the counts at these paths; None where there is none."""
    total = None
    for path in paths or ("",):
        told = _member(value, path) if path else value
        if type(told) is int and 0 <= told <= _LARGEST:
            total = told if total is None else min(total + told, _LARGEST)
    return total


def _member(value: Json, path: str) -> Json:
    if "." not in path:
        return value.get(path) if isinstance(value, dict) else None
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
