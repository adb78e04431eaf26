"""Who is in one cohort: the connected components of links that weigh enough.

Rules.  The heaviest links are followed first, and one that would make a cohort too large is not;
so the same links make the same cohorts in whatever order they come (Galler and Fischer, "An
improved equivalence algorithm", Communications of the ACM, 1964).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.canonical import Steps
from extproc.cohorts.coincidence import Nats
from extproc.cohorts.sharing import Pairs
from extproc.cohorts.trail import Rows

MEMBERS: Final = 1024
"""At most, of one cohort."""
SLICE: Final = 1024
"""Links."""


def joined(
    pairs: Pairs, weights: Nats, ranks: Rows, most: int = MEMBERS
) -> Steps[dict[int, list[int]]]:
    """Members by one of them, of all cohorts of two or more; yield at the end of each slice.

    ``pairs`` are those of links that weigh enough.
    """
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    first, second = np.sort(ranks[pairs], axis=1).T if len(pairs) else (ranks[:0], ranks[:0])
    for number, link in enumerate(np.lexsort((second, first, -weights))):
        one, other = (_root(parents, int(end)) for end in pairs[link])
        size = sizes.get(one, 1) + sizes.get(other, 1)
        if one != other and size <= most:
            parents[other], sizes[one] = one, size
        if number % SLICE == SLICE - 1:
            yield
    return _members(parents, np.unique(pairs).tolist())


def _root(parents: dict[int, int], subject: int) -> int:
    while (parent := parents.get(subject, subject)) != subject:
        parents[subject] = subject = parents.get(parent, parent)
    return subject


def _members(parents: dict[int, int], subjects: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for subject in subjects:
        found.setdefault(_root(parents, subject), []).append(subject)
    return {root: members for root, members in found.items() if len(members) > 1}
