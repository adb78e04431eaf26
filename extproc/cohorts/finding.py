"""Cohorts are found: from trails to links, from links to who is in one.

Rule: in slices, each of so many subjects, digests or pairs; what is found does not depend on the
order in which anything came.
"""

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
from extproc.cohorts.trail import Trails


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
    pairs = _distinct([each.pairs for each in shares], len(snapshot.subjects))
    yield
    pairs, odds = yield from _linked(common, pairs)
    members = yield from joined(pairs, odds, snapshot.ranks)
    return _cohorts(snapshot, pairs, odds, members)


def _distinct(pairs: list[Pairs], subjects: int) -> Pairs:
    together = np.concatenate(pairs)
    numbers = np.sort(together[:, 0] * subjects + together[:, 1])
    numbers = numbers[np.append(True, numbers[1:] != numbers[:-1])] if len(numbers) else numbers
    left, right = np.divmod(numbers, subjects)
    apart = left != right
    return np.stack([left[apart], right[apart]], axis=1)


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


def _cohorts(
    snapshot: Snapshot, pairs: Pairs, odds: Nats, members: dict[int, list[int]]
) -> list[Cohort]:
    strongest = np.full(len(snapshot.subjects), -np.inf)
    np.maximum.at(strongest, pairs, odds[:, None])
    made = []
    for each in members.values():
        least = min(int(snapshot.ranks[member]) for member in each)
        named = sorted((snapshot.subjects[member], float(strongest[member])) for member in each)
        subjects, told = zip(*named, strict=True)
        made.append(Cohort(f"cohort:{least:016x}", subjects, told))
    return sorted(made, key=lambda cohort: (-len(cohort.members), cohort.name))
