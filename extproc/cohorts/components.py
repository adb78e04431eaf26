"""Who is in one cohort: the connected components of links that weigh enough.

Rules.  The heaviest links are followed first, and one that would make a cohort too large is not;
so the same links make the same cohorts in whatever order they come (Galler and Fischer, "An
improved equivalence algorithm", Communications of the ACM, 1964).
"""

from collections.abc import Iterator
from heapq import merge
from typing import Final

import numpy as np

from extproc.canonical import Steps
from extproc.cohorts.coincidence import Nats
from extproc.cohorts.sharing import Pairs
from extproc.cohorts.trail import Rows

MEMBERS: Final = 1024
"""At most, of one cohort."""
SLICE: Final = 512
"""Links."""

Link = tuple[float, int, int, int]
"""Minus its weight, the ranks of its ends, and its place."""


def joined(
    pairs: Pairs, weights: Nats, ranks: Rows, most: int = MEMBERS
) -> Steps[dict[int, list[int]]]:
    """Members by one of them, of all cohorts of two or more; yield at the end of each slice.

    ``pairs`` are those of links that weigh enough.
    """
    runs = yield from _runs(pairs, weights, ranks)
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for number, (_, _, _, link) in enumerate(merge(*map(_drained, runs))):
        one, other = (_root(parents, int(end)) for end in pairs[link])
        size = sizes.get(one, 1) + sizes.get(other, 1)
        if one != other and size <= most:
            parents[other], sizes[one] = one, size
        if number % SLICE == SLICE - 1:
            yield
    return (yield from _members(parents))


def _runs(pairs: Pairs, weights: Nats, ranks: Rows) -> Steps[list[list[Link]]]:
    """The heaviest last; of as heavy ones those of the least ranks; each slice by itself."""
    runs = []
    for start in range(0, len(pairs), SLICE):
        part = slice(start, start + SLICE)
        first, second = np.sort(ranks[pairs[part]], axis=1).T
        order = np.lexsort((second, first, -weights[part]))
        keys = -weights[part][order], first[order], second[order], start + order
        runs.append(list(zip(*(each[::-1].tolist() for each in keys), strict=True)))
        yield
    return runs


def _drained(run: list[Link]) -> Iterator[Link]:
    """From the last on, each let go at once: to let go of all takes long."""
    while run:
        yield run.pop()


def _root(parents: dict[int, int], subject: int) -> int:
    while (parent := parents.get(subject, subject)) != subject:
        parents[subject] = subject = parents.get(parent, parent)
    return subject


def _members(parents: dict[int, int]) -> Steps[dict[int, list[int]]]:
    found: dict[int, list[int]] = {}
    for number, subject in enumerate(tuple(parents)):
        root = _root(parents, subject)
        found.setdefault(root, [root]).append(subject)
        if number % SLICE == SLICE - 1:
            yield
    return found
