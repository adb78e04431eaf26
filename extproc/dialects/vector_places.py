"""Where the answers of an API hold embeddings, and whether those can be edited all together.

Rule: found by what the tree is made of, whatever its nodes do with it: where one names the kind,
there may be a vector.  Only below ``Gathered``, or below a node that says GATHERS since it does the
same, are they known to be one for each input.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from extproc.dialects.cell import Cell
from extproc.dialects.gathered import Gathered
from extproc.dialects.shape import Either, Gate
from extproc.prediction import Kind

_KIND: Final[Kind] = "embedding"
_HELD: Final = (str, bytes, int, float, type(None))


def vector_places(answer: Any) -> list[bool]:
    """For each place of an answer that may hold embeddings, whether they are gathered there."""
    return list(_places(answer, gathered=False, above=()))


def _places(part: Any, *, gathered: bool, above: tuple[int, ...]) -> Iterator[bool]:
    """A tree that holds itself is walked once."""
    if part == _KIND:
        yield gathered
    if isinstance(part, _HELD) or id(part) in above:
        return
    gathered = gathered or isinstance(part, Gathered) or getattr(part, "GATHERS", False)
    for inner in _parts(part):
        yield from _places(inner, gathered=gathered, above=(*above, id(part)))


def _parts(part: Any) -> Iterator[Any]:
    match part:
        case Gate(_, node):
            yield node
        case Either(node, array, Gate(_, Cell(_))):  # no cell reads a vector out of a scalar
            yield from (node, array)
        case Mapping():
            yield from part.values()
        case tuple() | list():
            yield from part
        case _ if is_dataclass(part):
            yield from (getattr(part, field.name) for field in fields(part))
        case _:
            yield from getattr(part, "__dict__", {}).values()
