"""What pairs of subjects have in common, in arrays.

Rule: so many pairs at a time, so that a slice stays short.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts import client, complement, network, probes, timing
from extproc.cohorts.coincidence import Nats, chance
from extproc.cohorts.link import AGAINST
from extproc.cohorts.sharing import Pairs, Shares
from extproc.cohorts.snapshot import Snapshot
from extproc.cohorts.trail import Rows

SLICE: Final = 128
"""Pairs."""

Covered = Callable[[str], npt.NDArray[np.float32] | None]
"""How many distinct queries of a subject fell into each cell, shape (cells,); None where nobody
knows."""


class Common:
    """Among the subjects of a snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        shares: Sequence[Shares],
        base: npt.NDArray[np.float64],
        covered: Covered,
    ) -> None:
        """``shares`` of networks, clients and probes; ``base`` are the reference's shares of the
        cells, shape (cells,).
        """
        self._snapshot, self._shares = snapshot, [each.shares for each in shares]
        self._base, self._covered = base, covered
        self._held: npt.NDArray[np.float64] = np.zeros(len(snapshot.subjects))
        """How many inputs are kept of each subject."""
        self._busy: npt.NDArray[np.float64] = np.zeros(0)
        """The share of subjects that were active in each quarter of an hour."""

    def slots(self) -> Steps[None]:
        """Learn when all of them are active, and how much is kept of each; yield at the end of each
        slice.
        """
        slots, probes = self._snapshot.slots, self._snapshot.digests[2]
        total = np.zeros(slots.shape[1] * 8)
        for start in range(0, len(slots), SLICE):
            part = slice(start, start + SLICE)
            total += np.unpackbits(slots[part], axis=1).sum(0)
            self._held[part] = (probes[part] > 0).sum(1)
            yield
        self._busy = total / max(len(slots), 1)

    def odds(self, pairs: Pairs) -> Nats:
        """That they are one operator, in nats, 0 for an even chance; after ``slots``.

        Of those that cannot be linked any more some links are left out.
        """
        left, right = pairs[:, 0], pairs[:, 1]
        asked = probes.evidence(*self._asked(left, right))
        told = network.evidence(self._rarest(0, left, right))
        told += client.evidence(self._rarest(1, left, right)) + asked - AGAINST
        near = np.flatnonzero(told > -timing.MOST - complement.MOST)
        told[near] += timing.evidence(*self._active(left[near], right[near]))
        near = near[told[near] > -complement.MOST]
        told[near] += self._complement(left[near], right[near], asked[near])
        return told

    def _rarest(self, kind: int, left: Pairs, right: Pairs) -> Nats:
        share = self._both(kind, left, right)
        least = np.where(share > 0, share, 1.0).min(axis=1)
        return np.asarray(-np.log(least), np.float64)

    def _both(self, kind: int, left: Pairs, right: Pairs) -> npt.NDArray[np.float32]:
        """The share of others that have what both have, shape (pairs, places of the left)."""
        same = _same(self._snapshot.digests[kind], left, right)
        return np.where(same, self._shares[kind][left], np.float32(0.0))

    def _asked(self, left: Pairs, right: Pairs) -> tuple[Nats, Nats]:
        shares, held, usual = self._shares[2], self._held, float(self._held.mean())
        common = (self._both(2, left, right) > 0).sum(1).astype(np.float64)
        one = chance(shares[left], held[right], usual)
        other = chance(shares[right], held[left], usual)
        return common, np.maximum(one, other)

    def _active(self, left: Pairs, right: Pairs) -> tuple[Nats, Nats]:
        one, other = (
            np.unpackbits(self._snapshot.slots[side], axis=1).astype(np.float64)
            for side in (left, right)
        )
        usual = float(self._busy.sum())
        expected = chance(one * self._busy, other.sum(1), usual)
        return (one * other).sum(1), np.maximum(
            expected, chance(other * self._busy, one.sum(1), usual)
        )

    def _complement(self, left: Pairs, right: Pairs, told: Nats) -> Nats:
        one, other = (self._cells(side) for side in (left, right))
        return complement.evidence(one, other, self._base, told)

    def _cells(self, side: Pairs) -> npt.NDArray[np.float64]:
        found = np.zeros((len(side), len(self._base)))
        for number, subject in enumerate(side):
            cells = self._covered(self._snapshot.subjects[subject])
            if cells is not None and len(cells) == len(self._base):
                found[number] = cells
        return found


def _same(digests: Rows, left: Pairs, right: Pairs) -> npt.NDArray[np.bool_]:
    """Which of the left's digests the right has too, shape (pairs, places)."""
    one, other = digests[left], digests[right]
    return np.asarray(((one[:, :, None] == other[:, None, :]) & (one[:, :, None] > 0)).any(axis=2))
