"""Groups of callers of whom no link is known: those of one customer by the policy's word, those who
came at one time, from one block of addresses or with one client.

Rules.  A group is what to count together, never a reason for suspicion: only what its callers ask
is.  Counts add up and do not depend on order.  There are at most so many groups and callers; those
that were counted longest ago are forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from extproc.cohorts.excess import BINS, Counts, evidence, share
from extproc.cohorts.usual import CHECKPOINTS, Usual, checkpoint

GROUPS: Final = 4096
DECLARED: Final = "declared "
"""What the name of a group begins with that the policy says belongs together."""


class Groups:
    """What is counted of each group: how rare its callers' evidence is."""

    def __init__(self, callers: int, groups: int = GROUPS) -> None:
        """At most so many."""
        self._callers, self._most = callers, groups
        self.tallies: dict[str, dict[str, Counts]] = {}
        self._entered: dict[str, tuple[int, tuple[str, ...]]] = {}

    def __len__(self) -> int:
        return len(self.tallies)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self.tallies))

    @property
    def members(self) -> Mapping[str, tuple[int, tuple[str, ...]]]:
        """By caller: the checkpoint that it was counted at last, and its groups then."""
        return self._entered

    def due(self, caller: str, queries: float) -> bool:
        """Whether it has passed a checkpoint that it was not counted at."""
        before, _ = self._entered.get(caller, (-1, ()))
        return before + 1 < len(CHECKPOINTS) and queries >= CHECKPOINTS[before + 1]

    def enter(
        self,
        caller: str,
        groups: Sequence[str],
        usual: Usual,
        queries: float,
        evidence: Mapping[str, float],
    ) -> None:
        """Count a caller that has asked so many distinct queries, with so much evidence by detector
        in nats; once at each checkpoint.
        """
        if not self.due(caller, queries):
            return
        at = checkpoint(queries)
        self._entered.pop(caller, None)
        self._entered[caller] = at, tuple(groups)
        if len(self._entered) > self._callers:
            del self._entered[next(iter(self._entered))]
        for group in groups:
            self._count(group, usual, at, evidence)

    def _count(self, group: str, usual: Usual, at: int, evidence: Mapping[str, float]) -> None:
        tallies = self.tallies.pop(group, {})
        self.tallies[group] = tallies
        if len(self.tallies) > self._most:
            del self.tallies[next(iter(self.tallies))]
        for detector in usual.quantiles:
            tally = tallies.setdefault(detector, np.zeros((len(CHECKPOINTS), BINS), np.float32))
            tally[at, usual.bin(detector, at, evidence[detector])] += 1

    def merge(self, other: "Groups") -> None:
        """Add what another replica has counted of other callers."""
        for group, tallies in other.tallies.items():
            own = self.tallies.setdefault(group, {})
            for detector, tally in tallies.items():
                own[detector] = own[detector] + tally if detector in own else tally.copy()

    def size(self, group: str) -> int:
        """Callers that were counted at the checkpoint where most were."""
        return max(int(tally.sum(axis=1).max()) for tally in self.tallies[group].values())

    def evidence(self, group: str) -> float:
        """In nats: the average e-value over detectors and checkpoints."""
        told = np.concatenate([evidence(tally) for tally in self.tallies[group].values()])
        return float(np.logaddexp.reduce(told) - np.log(len(told)))

    def share(self, group: str) -> float:
        """Of attackers in it, by the detector and checkpoint that tell most of it."""
        tallies = np.concatenate(list(self.tallies[group].values()))
        return share(tallies[int(evidence(tallies).argmax())])
