"""Which two classes a mark exchanges: the likeliest, and the next.

Rule: where a mark could do harm, or could not be seen, there is none: with a protected class among
the two, with two equal numbers, with a next class of which the model says that it is impossible.
Marks and controls are chosen alike, so that they can be compared.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from extproc.prediction import Vector

Class = str | int
"""What answers call it; its number, from 0, where they do not."""
Names = Sequence[Sequence[Any]]
"""For each class what it is called; empty where its place tells."""


def contenders(
    values: Vector, names: Names, protected: Collection[Class]
) -> tuple[int, int] | None:
    """The places of both, likeliest first; None where they are not to be exchanged.

    ``values``: shape (classes,), probabilities.  A class that is protected by name cannot be found
    in an answer of numbers, nor one by number in an answer of names, whose order may be any: there
    nothing is exchanged.
    """
    if values.size < 2:
        return None
    order = np.argsort(-values, kind="stable")
    first, second = int(order[0]), int(order[1])
    if values[first] == values[second] or not values[second]:
        return None
    if protected and not _are_free((first, second), names, protected):
        return None
    return first, second


def called(at: int, names: Names) -> Class:
    """The class at a place of an answer."""
    return str(names[at][0]) if at < len(names) and names[at] else at


def _are_free(places: tuple[int, int], names: Names, protected: Collection[Class]) -> bool:
    kinds = {type(called(at, names)) for at in places} | set(map(type, protected))
    known = {str(each) for at in places if at < len(names) for each in names[at]}
    return len(kinds) == 1 and {*places, *known}.isdisjoint(protected)
