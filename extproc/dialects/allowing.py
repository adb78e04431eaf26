"""What an operator lets through of an answer beside what its tree knows, by name.

Rule: only what the tree has no opinion of.  What it names is decided by the tier.
"""

from collections.abc import Sequence
from dataclasses import replace

from extproc.dialects.counted import Counted
from extproc.dialects.gathered import Gathered
from extproc.dialects.shape import (
    Anything,
    Either,
    Fields,
    Gate,
    Items,
    Node,
    Numbered,
    Rows,
)


def allowing(node: Node, path: Sequence[str]) -> Node:  # noqa: C901, PLR0912 - a case per shape
    """Return the tree with one more field let through, named by its dotted path.

    Arrays are stepped into, and of several shapes the object's.  Raise KeyError naming the first
    part that is no object of the tree, or the last where the tree knows it: what a fidelity decides
    about is not let through beside it.
    """
    match node:
        case Items(inner, each):
            return Items(allowing(inner, path), each)
        case Gathered(inner):
            return Gathered(allowing(inner, path))
        case Counted(inner):
            return replace(node, node=allowing(inner, path))
        case Numbered(inner):
            return Numbered(allowing(inner, path))
        case Rows(inner, depth, each):
            return Rows(allowing(inner, path), depth, each)
        case Gate(kind, inner, nulled):
            return Gate(kind, allowing(inner, path), nulled)
        case Either(inner, array, scalar):
            return Either(allowing(inner, path), array, scalar)
        case Fields(fields):
            name, *rest = path
            if (name in fields) is not bool(rest):
                raise KeyError(name)
            if not rest:
                return Fields({**fields, name: Anything()})
            return Fields({**fields, name: allowing(fields[name], rest)})
        case _:
            raise KeyError(path[0])
