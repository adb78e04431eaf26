"""How much evidence benign clients have when they have asked so many queries.

Rules.  A client is looked at as the sidecar looks at it: at the first exchange by which it has
asked as many different queries, or more.  What one client asks of together is learnt from every
other client, and tried on the others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from extproc.calibration.lives import Watch
from extproc.cohorts.affinity import INCOHERENCE, incoherence, learnt, read
from extproc.cohorts.knowledge import COVERAGE
from extproc.cohorts.usual import CHECKPOINTS, Usual, checkpoint, undecayed, usual
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features

Exchanges = Callable[[], Iterator[Features]]
"""Of one client, by time, from the first each time."""
Passed = dict[int, tuple[dict[str, float], Counters]]
"""By checkpoint: the evidence there, and how many queries fell into each cell."""
Told = dict[int, float]
"""By checkpoint, of one client."""
_LAST: Final = len(CHECKPOINTS) - 1


def usual_evidence(watch: Watch, lives: Iterable[Exchanges]) -> Usual:
    """Raise ValueError where there are too few clients."""
    clients = [dict(passed(watch, exchanges)) for exchanges in lives]
    told = {
        name: [{at: evidence[name] for at, (evidence, _) in each.items()} for each in clients]
        for name in watch.names
        if name != COVERAGE
    }
    affinity = b""
    if COVERAGE in watch.names:
        learning = [cells for each in clients[::2] for _, cells in list(each.values())[-1:]]
        if learning:
            affinity = learnt(learning)
            told[INCOHERENCE] = _incoherences(clients[1::2], affinity)
    return usual({name: _by_checkpoint(each) for name, each in told.items()}, affinity)


def _incoherences(clients: Sequence[Passed], affinity: bytes) -> list[Told]:
    known = read(affinity)
    return [{at: incoherence(cells, known) for at, (_, cells) in each.items()} for each in clients]


def _by_checkpoint(clients: Sequence[Told]) -> list[list[float]]:
    return [[each[at] for each in clients if at in each] for at in range(len(CHECKPOINTS))]


def passed(
    watch: Watch, exchanges: Exchanges
) -> Iterator[tuple[int, tuple[dict[str, float], Counters]]]:
    """Each checkpoint that a client passes, and what is known there."""
    before, asked = -1, set[int]()
    cells = watch.layout.parts.get(COVERAGE, slice(0, 0))
    for each, counters in zip(exchanges(), watch.profiles(exchanges()), strict=True):
        asked.update(np.unique(each.digests).tolist())
        at = checkpoint(len(asked))
        if at > before:
            fresh = undecayed(counters, counters[cells], len(asked))
            yield at, (watch.layout.evidence(fresh), fresh[cells])
            before = at
        if before == _LAST:
            return
