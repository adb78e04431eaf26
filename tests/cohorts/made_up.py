"""Subjects, digests and detectors made up for the tests of cohorts."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.linker import Life, Linker
from extproc.cohorts.snapshot import Snapshot, taken
from extproc.cohorts.trail import Trails
from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats
from extproc.detectors.observation import Observation

KEY = b"secret" * 4
CELLS = 8
BASE = np.full(CELLS, 1 / CELLS)
START = 1_700_000_000.0 // 432_000 * 432_000
"""Where a period begins."""


class Counted:
    """A detector whose evidence is its first counter; -inf where that is 0."""

    def __init__(self, name: str, size: int = 1) -> None:
        self.name, self.size = name, size

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        counters[0] += weight

    def evidence(self, counters: Counters) -> Nats:
        return np.where(counters[..., 0] > 0, counters[..., 0], -np.inf)


def life(queries: float, evidence: Mapping[str, float]) -> Life:
    """Of a caller whom ``Counted`` alone looks at."""
    return Life(START, queries, np.array(list(evidence.values()), np.float32), evidence)


def digests(seed: int) -> Iterator[int]:
    """As keyed hashes have them: of 64 bits, at random."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(1, 2**64, dtype=np.uint64))


def some(seed: int, count: int) -> list[int]:
    found = digests(seed)
    return [next(found) for _ in range(count)]


def observation(time: float = START, network: int = 0, client: int = 0) -> Observation:
    return Observation(
        time=time,
        tenant="acme",
        principal="key:1",
        route="POST /v1/classify",
        model="m",
        outcome="served",
        queries=1,
        network=f"{network:016x}" if network else "",
        client=f"{client:016x}" if client else "",
    )


def snapshot(
    trails: Iterable[tuple[str, int, int, int, Iterable[int]]], most: int = 4096
) -> Snapshot:
    """Of one period, of (subject, slot, network, client, probes)."""
    later = Trails(most, KEY)
    for each in trails:
        later.add(*each)
    return at_once(taken(Trails(1, KEY), later))


def rebuilt(linker: Linker, counters: dict[str, Counters] | None = None) -> dict[str, set[str]]:
    """The members of each cohort."""
    at_once(linker.rebuild((counters or {}).get))
    return {name: set(cohort.members) for name, cohort in linker.cohorts().items()}
