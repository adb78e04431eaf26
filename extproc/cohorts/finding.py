"""Cohorts are found: from trails to links, from links to who is in one.

Rule: in slices, each of so many subjects, digests or pairs; what is found does not depend on the
order in which anything came.
"""

from heapq import heappush, heappushpop
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.coincidence import Nats
from extproc.cohorts.components import joined
from extproc.cohorts.link import LINKED, weight
from extproc.cohorts.pairs import SLICE, Common, Covered
from extproc.cohorts.sharing import Pairs, shared
from extproc.cohorts.snapshot import Snapshot, taken
from extproc.cohorts.trail import Rows, Trails

COHORTS: Final = 4096
"""At most."""
SUBJECTS: Final = 1024
"""Whose links are looked through in one slice."""
WORK: Final = 4096
"""Members that are looked at in one slice; a cohort is as much work as so many more."""


def found(
    earlier: Trails, later: Trails, base: npt.NDArray[np.float64], covered: Covered
) -> Steps[list[Cohort]]:
    """The largest first; yield at the end of each slice.

    ``base`` are the reference's shares of the cells, shape (cells,).
    """
    snapshot = yield from taken(earlier, later)
    if len(snapshot.subjects) < 2:
        return []
    networks = yield from shared(snapshot, 0)
    clients = yield from shared(snapshot, 1)
    probes = yield from shared(snapshot, 2)
    shares = [networks, clients, probes]
    common = Common(snapshot, shares, base, covered)
    yield from common.slots()
    pairs = yield from _distinct([each.pairs for each in shares], len(snapshot.subjects))
    pairs, odds = yield from _linked(common, pairs)
    members = yield from joined(pairs, odds, snapshot.ranks)
    strongest = yield from _strongest(len(snapshot.subjects), pairs, odds)
    largest = yield from _largest(snapshot.ranks, members)
    chosen = [members.pop(root) for root in largest]
    while members:  # to let go of all at once takes long
        for root in list(islice(members, SUBJECTS)):
            del members[root]
        yield
    return (yield from _cohorts(snapshot, strongest, chosen))


def _distinct(pairs: list[Pairs], subjects: int) -> Steps[Pairs]:
    """Those of two, each once, in order."""
    together = np.concatenate(pairs)
    numbers = (together[:, 0] * subjects + together[:, 1])[together[:, 0] != together[:, 1]]
    yield
    firsts, found = numbers // subjects, [numbers[:0]]
    for start in range(0, subjects, SUBJECTS):
        found.append(np.unique(numbers[(firsts >= start) & (firsts < start + SUBJECTS)]))
        yield
    return np.stack(np.divmod(np.concatenate(found), subjects), axis=1)


def _linked(common: Common, pairs: Pairs) -> Steps[tuple[Pairs, Nats]]:
    """The pairs that are in one cohort, and the odds of that, in nats."""
    kept, odds = [pairs[:0]], [np.zeros(0)]
    for start in range(0, len(pairs), SLICE):
        some = pairs[start : start + SLICE]
        told = common.odds(some)
        linked = weight(told) > LINKED
        kept.append(some[linked])
        odds.append(told[linked])
        yield
    return np.concatenate(kept), np.concatenate(odds)


def _strongest(subjects: int, pairs: Pairs, odds: Nats) -> Steps[Nats]:
    """The odds of each one's strongest link, shape (subjects,)."""
    strongest = np.full(subjects, -np.inf)
    for start in range(0, len(pairs), 4 * SLICE):
        part = slice(start, start + 4 * SLICE)
        np.maximum.at(strongest, pairs[part], odds[part, None])
        yield
    return strongest


def _largest(ranks: Rows, members: dict[int, list[int]]) -> Steps[list[int]]:
    """The roots of so many, the largest first; of as large ones, that of the least rank."""
    heap: list[tuple[int, int, int]] = []
    work = 0
    for root, each in members.items():
        entry = len(each), -int(ranks[each].min()), root
        (heappush if len(heap) < COHORTS else heappushpop)(heap, entry)
        work += 16 + len(each)
        if work > WORK:
            work = 0
            yield
    return [root for _, _, root in sorted(heap, reverse=True)]


def _cohorts(snapshot: Snapshot, strongest: Nats, members: list[list[int]]) -> Steps[list[Cohort]]:
    made, work = [], 0
    for each in members:
        named = sorted((snapshot.subjects[member], float(strongest[member])) for member in each)
        subjects, told = zip(*named, strict=True)
        made.append(Cohort(f"cohort:{int(snapshot.ranks[each].min()):016x}", subjects, told))
        work += 16 + len(each)
        if work > WORK:
            work = 0
            yield
    return made
