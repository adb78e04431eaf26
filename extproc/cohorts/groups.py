"""Groups of callers of whom no link is known: those of one customer by the policy's word, those who
came at one time, from one block of addresses or with one client.

Rules.  A group is what to count together, never a reason for suspicion: only what its callers ask
is.  Each caller counts once at each checkpoint, wherever it was counted, so that groups do not
depend on order, and those of replicas come to what one would have.  There are at most so many
groups and callers; those that were counted longest ago are forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from sys import intern
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from extproc.cohorts.affinity import INCOHERENCE
from extproc.cohorts.entry import NOWHERE, Entry, joined
from extproc.cohorts.excess import BINS, Counts, Nats, average, bets, evidence, null, share
from extproc.cohorts.usual import CHECKPOINTS, DRIFTS, Usual, checkpoint

GROUPS: Final = 4096
DECLARED: Final = "declared "
"""What the name of a group begins with that the policy says belongs together."""


def weights(usual: Usual) -> Nats:
    """Of the e-value of each detector at each checkpoint, one detector after the other: half for
    incoherence, where it is known, since it is made for groups.
    """
    known = INCOHERENCE in usual.quantiles and len(usual.quantiles) > 1
    others = max(len(usual.quantiles) - known, 1)
    each = [1.0 if known and name == INCOHERENCE else 1 / others for name in usual.quantiles]
    shares = np.repeat(np.array(each), len(CHECKPOINTS))
    found: Nats = shares / shares.sum()
    return found


class _Tally(Struct):
    """Of one group."""

    traffic: str
    counts: Counts
    """Shape (detectors, CHECKPOINTS, BINS)."""


class Groups:
    """What is counted of each group: how rare its callers' evidence is."""

    def __init__(self, usual: Mapping[str, Usual], callers: int, groups: int = GROUPS) -> None:
        """``usual`` by traffic class; at most so many callers and groups."""
        self._usual, self._callers, self._most = usual, callers, groups
        self._nulls = {
            name: np.array([[*map(null, rows, DRIFTS)] for rows in each.quantiles.values()])
            for name, each in usual.items()
        }
        self._bets = {
            name: np.array([[bets(masses) for masses in rows] for rows in each])
            for name, each in self._nulls.items()
        }
        self._weights = {name: weights(each) for name, each in usual.items()}
        self._tallies: dict[str, _Tally] = {}
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._tallies)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._tallies))

    def __contains__(self, group: str) -> bool:
        return group in self._tallies

    @property
    def entries(self) -> Mapping[str, Entry]:
        """By caller: where it was counted."""
        return self._entries

    def due(self, caller: str, queries: float) -> bool:
        """Whether it has passed a checkpoint that it was not counted at."""
        return checkpoint(queries) > self._entries.get(caller, NOWHERE).last

    def enter(
        self,
        caller: str,
        groups: Sequence[str],
        traffic: str,
        queries: float,
        evidence: Mapping[str, float],
    ) -> bool:
        """Count a caller of a class that is known, that has asked so many distinct queries, with so
        much evidence by detector in nats; returns whether it was counted.
        """
        if not self.due(caller, queries):
            return False
        at = checkpoint(queries)
        bins = self._usual[traffic].bins(at, evidence)
        return self.hear(caller, Entry.at(at, bins, tuple(groups), traffic))

    def hear(self, caller: str, other: Entry) -> bool:
        """Count a caller as somebody has; returns whether that was new.  What cannot be is none."""
        nulls = self._nulls.get(other.traffic)
        if nulls is None or other.detectors != len(nulls):
            return False
        other = replace(other, groups=tuple(map(intern, other.groups)))  # one name for all callers
        before = self._entries.pop(caller, NOWHERE)
        self._entries[caller] = after = joined(before, other)
        if len(self._entries) > self._callers:
            del self._entries[next(iter(self._entries))]
        new = [at for at in other.checkpoints() if not before.has(at)]
        for group in other.groups if new else ():
            self._count(group, other, new)
        return after != before

    def _count(self, group: str, entry: Entry, checkpoints: Sequence[int]) -> None:
        tally = self._tallies.pop(group, None)
        if tally is None or tally.traffic != entry.traffic:
            shape = entry.detectors, len(CHECKPOINTS), BINS
            tally = _Tally(entry.traffic, np.zeros(shape, np.float32))
        self._tallies[group] = tally
        if len(self._tallies) > self._most:
            del self._tallies[next(iter(self._tallies))]
        for at in checkpoints:
            for detector, place in enumerate(entry.bins(at)):
                tally.counts[detector, at, place] += 1

    def traffic(self, group: str) -> str:
        """The class that its callers are of."""
        return self._tallies[group].traffic

    def size(self, group: str) -> int:
        """Callers that were counted at the checkpoint where most were."""
        return int(self._tallies[group].counts.sum(axis=2).max())

    def evidence(self, group: str) -> float:
        """In nats: the weighed average e-value over detectors and checkpoints."""
        return float(average(self._told(group).ravel(), self._weights[self.traffic(group)]))

    def share(self, group: str) -> float:
        """Of attackers in it, by the detector and checkpoint that tell most of it."""
        tally, told = self._tallies[group], self._told(group)
        where = np.unravel_index(told.argmax(), told.shape)
        return share(tally.counts[where], self._nulls[tally.traffic][where])

    def _told(self, group: str) -> npt.NDArray[np.float64]:
        """Shape (detectors, CHECKPOINTS)."""
        tally = self._tallies[group]
        return evidence(tally.counts, self._bets[tally.traffic])
