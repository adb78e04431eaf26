"""Whether the answers of an API name the likeliest class apart from its probabilities.

Rule: rather once too often than too rarely.  Found by what the tree of an answer is made of: where
it names the kind ``label``, but for names that stand beside their classes' numbers and leave with
them, there may be the truth that a mutator of probabilities knows nothing of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from extproc.dialects import CohereClassify, Dialect
from extproc.dialects.ranking import Columns, Ranked
from extproc.prediction import Kind

_KIND: Final[Kind] = "label"
_HELD: Final = (str, bytes, int, float, type(None))


def labels_apart(dialect: Dialect) -> bool:
    """Whether a label may stand in an answer that no change of probabilities changes."""
    if isinstance(dialect, CohereClassify):  # named in the code of its nodes
        return True
    return any(_apart(answer, ()) for answer in dialect.answers().values())


def _apart(part: Any, above: tuple[int, ...]) -> bool:
    """A tree that holds itself is walked once."""
    if isinstance(part, _HELD):
        return bool(part == _KIND)
    return id(part) not in above and any(
        _apart(inner, (*above, id(part))) for inner in _parts(part)
    )


def _parts(part: Any) -> Iterator[Any]:
    match part:
        case Ranked(_, names, others) | Columns(_, names, others):
            yield from (node for name, node in others.items() if name not in names)
        case Mapping():
            yield from part.values()
        case tuple() | list():
            yield from part
        case _ if is_dataclass(part):
            yield from (getattr(part, field.name) for field in fields(part))
        case _:
            yield from getattr(part, "__dict__", {}).values()
