"""How soon a campaign of 1,000 queries is found that is dealt out over many keys.

Run by ``python -m tests.detection.campaigns --data DIR``: DIR holds CLINC150 (Larson et al., EMNLP
2019) and banking77 (Casanueva et al., 2020).  Beside the campaign there are 1,000 benign keys,
whose days are over when it begins, so that it is as thin among them as can be.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.judging import Judged, groups_judged
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.cohorts.usual import CHECKPOINTS
from extproc.detectors.detector import Counters
from extproc.detectors.evidence import ALARM, combined, suspicion
from extproc.detectors.profile import Layout
from tests.detection.dealt import (
    KEY,
    START,
    Caller,
    Corpus,
    benign,
    campaign,
    corpus,
    knowledge,
    observation,
    taken,
)

KEYS: Final = (1, 5, 10, 20, 100, 1000)
BENIGN: Final = 1000
THRESHOLD: Final = 10.0
"""Nats that a benign caller of class user reaches once in a thousand lives, or less often."""
PARTS: Final = tuple(step / 10 for step in range(1, 11))
"""Of the campaign, after which groups are looked at."""
WHOLE: Final = (0.4, 1.0)
"""Those after which cohorts are found anew."""
HALF: Final = 0.45
"""What is found at a part of less has been found before half of it was served."""
LIVES: Final = 4000
"""Benign keys that usual evidence is learnt from."""
BLOCKS: Final = ("many", "one", "that of others")
STEP: Final = 0.7
"""The suspicion of the mildest step of a ladder."""
SUBJECTS: Final = 4096


class World:
    """What the watcher keeps of all of them."""

    def __init__(self, corpus: Corpus, known: Knowledge) -> None:
        self.linker = Linker(known, KEY, SUBJECTS)
        self._corpus, self._known, self._layout = corpus, known, corpus.layout
        self.callers: dict[str, Caller] = {}

    def ask(self, caller: Caller, end: int) -> None:
        """Up to so many of its queries, in batches that end where it is counted."""
        self.callers[caller.name] = caller
        for stop in sorted({min(end, each) for each in (*CHECKPOINTS, end)}):
            if stop > caller.asked:
                self._batch(caller, slice(caller.asked, stop))

    def _batch(self, caller: Caller, part: slice) -> None:
        digests = caller.features.digests
        new = ~np.isin(digests[part], digests[: part.start])
        _, firsts = np.unique(digests[part], return_index=True)
        fresh = part.start + np.intersect1d(np.flatnonzero(new), firsts)
        if not caller.counters.size:
            caller.counters = np.zeros(self._layout.size, np.float32)
        some = taken(caller.features, fresh)
        self._layout.count(caller.counters, some, 1.0)
        caller.asked, caller.queries = part.stop, caller.queries + len(fresh)
        for at in range(part.start, part.stop):
            seen = observation(caller, caller.times[at])
            self.linker.observe(seen, caller.name, [int(digests[at])])
        told = self._layout.evidence(caller.counters)
        last = observation(caller, caller.times[part.stop - 1])
        self.linker.count(last, caller.name, "", "user", caller.queries, told)

    def rebuild(self) -> None:
        def counters(subject: str) -> Counters | None:
            return self.callers[subject].counters

        at_once(self.linker.rebuild(counters))

    def suspected(self) -> set[str]:
        """The groups above the alarm."""
        told = Judged()
        at_once(groups_judged(told, self.linker.groups, self.linker._own))
        return {name for name, suspicion in told.suspicions.items() if suspicion >= ALARM}

    def mine(self, keys: Sequence[Caller]) -> set[str]:
        """The groups that these callers are in."""
        members = self.linker.groups.members
        return {name for key in keys for name in members.get(key.name, (0, ()))[1]}

    def cohorts(self, least: float) -> list[Cohort]:
        """Those so suspicious most of whose members attack."""
        told = self.linker.judged
        return [
            each
            for name, each in told.cohorts.items()
            if told.suspicions.get(name, 0.0) >= least and _attackers(each) > len(each.members) / 2
        ]

    def branched(self) -> "World":
        """Another of the same past."""
        other = World(self._corpus, self._known)
        other.linker = copied(self.linker, self._known)
        other.callers = dict(self.callers)
        return other


def copied(linker: Linker, known: Knowledge) -> Linker:
    """Of trails of one period, as all here are."""
    other = Linker(known, KEY, SUBJECTS)
    trails, same = other._of(START), linker._of(START)
    assert trails is not None
    assert same is not None
    trails._rows[:], trails._ranks[:] = same._rows, same._ranks
    trails._places, trails._least = dict(same._places), list(same._least)
    other._since, other._own = dict(linker._since), dict(linker._own)
    other.groups.merge(linker.groups)
    other.groups._entered = dict(linker.groups.members)
    return other


@dataclass
class Trial:
    """One campaign among the benign keys."""

    grouped: float = math.inf
    """The part of it that was served when a group that holds its keys was suspected first."""
    cohort: float = math.inf
    """The same of a cohort of which most are its keys."""
    linked: int = 0
    """Its keys that are in such a cohort at the end."""
    lifted: int = 0
    """Its keys that are lifted to a step at the end."""
    blamed: int = 0
    """Benign keys that are."""
    highest: float = 0.0
    """The highest lift of a benign key."""
    alone: int = 0
    """Its keys that are suspected by themselves, at the end."""

    @property
    def found(self) -> float:
        return min(self.grouped, self.cohort)


def trial(world: World, keys: Sequence[Caller], layout: Layout) -> Trial:
    found = Trial()
    before = world.suspected()
    for part in PARTS:
        for number, key in enumerate(keys):  # one after the other, where each asks once
            world.ask(key, int(part * len(key.times) + number / len(keys) + 1e-9))
        suspected = (world.suspected() - before) & world.mine(keys)
        found.grouped = min(found.grouped, part if suspected else math.inf)
        if part in WHOLE:
            world.rebuild()
            if world.cohorts(ALARM):
                found.cohort = min(found.cohort, part)
    lifts = world.linker.judged.lifts
    found.linked = sum(_attackers(each) for each in world.cohorts(0.0))
    found.lifted = sum(lifts.get(key.name, 0.0) >= STEP for key in keys)
    found.alone = sum(
        suspicion(combined(layout.evidence(key.counters)), THRESHOLD) >= ALARM for key in keys
    )
    benign = [lift for name, lift in lifts.items() if name.startswith("b")]
    found.highest = max(benign, default=0.0)
    found.blamed = sum(lift >= STEP for lift in benign)
    return found


def _attackers(cohort: Cohort) -> int:
    return sum(member.startswith("a") for member in cohort.members)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CLINC150 and banking77")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keys", type=int, nargs="*", default=KEYS)
    options = parser.parse_args()
    learnt = corpus(options.data)
    known = knowledge(learnt, THRESHOLD, LIVES, np.random.default_rng(3))
    worlds = [populated(learnt, known, run) for run in range(options.runs)]
    benign_alone(worlds)
    for part in ("other domain", "word salad", "in-distribution"):
        for keys in options.keys:
            for block, alike in product(BLOCKS, (False, True)):
                trials = []
                for run, world in enumerate(worlds):
                    rng = np.random.default_rng([run, keys])
                    dealt = campaign(learnt, part, keys, block, alike, rng)
                    trials.append(trial(world.branched(), dealt, learnt.layout))
                print(_row(part, keys, block, alike, trials), flush=True)


def populated(learnt: Corpus, known: Knowledge, run: int) -> World:
    rng, world = np.random.default_rng([run, 0]), World(learnt, known)
    for number in range(BENIGN):
        caller = benign(learnt, "tried", number, rng)
        world.ask(caller, len(caller.times))
    return world


def benign_alone(worlds: Sequence[World]) -> None:
    """What is found where nobody attacks."""
    cohorts, members, suspected, lifts = 0, 0, 0, []
    for world in worlds:
        world.rebuild()
        told = world.linker.judged
        cohorts += len(told.cohorts)
        members += sum(len(each.members) for each in told.cohorts.values())
        suspected += sum(each >= ALARM for each in told.suspicions.values())
        lifts.append(max(told.lifts.values(), default=0.0))
    print(
        f"benign alone, {len(worlds)} times {BENIGN} keys: {cohorts} cohorts of {members} keys, "
        f"{suspected} cohorts or groups suspected, highest lifts {np.round(lifts, 2)}"
    )
    print("texts | keys | block | client | before half | when | by group | by cohort |"
          " linked | lifted | alone | benign lifted | highest")  # fmt: skip


def _row(part: str, keys: int, block: str, alike: bool, trials: Sequence[Trial]) -> str:
    def mean(of: Callable[[Trial], float]) -> float:
        return float(np.mean([of(each) for each in trials]))

    half = mean(lambda each: each.found < HALF)
    when = float(np.median([each.found for each in trials]))
    group = mean(lambda each: each.grouped < HALF)
    cohort = mean(lambda each: each.cohort < HALF)
    return (
        f"{part} | {keys} | {block} | {'one' if alike else 'many'} | "
        f"{half:.0%} | {when:.0%} | {group:.0%} | {cohort:.0%} | "
        f"{mean(lambda each: each.linked):.0f} | {mean(lambda each: each.lifted):.0f} | "
        f"{mean(lambda each: each.alone):.0f} | {mean(lambda each: each.blamed):.1f} | "
        f"{max(each.highest for each in trials):.2f}"
    )


if __name__ == "__main__":
    main()
