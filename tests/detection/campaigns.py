"""How soon a campaign of 1,000 queries is found that is dealt out over many keys.

Run by ``python -m tests.detection.campaigns --data DIR``: DIR holds CLINC150 (Larson et al., EMNLP
2019) and banking77 (Casanueva et al., 2020).  Beside the campaign there are 1,000 benign keys,
whose days are over when it begins, so that it is as thin among them as can be.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.entry import NOWHERE
from extproc.cohorts.judging import Judged, groups_judged
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Life, Linker
from extproc.detectors.detector import Counters
from extproc.detectors.evidence import ALARM, combined, suspicion
from tests.detection.dealt import (
    PLACES,
    START,
    Caller,
    Learnt,
    benign,
    campaign,
    learnt,
    observation,
    salad,
)
from tests.detection.judged import KEY
from tests.detection.newcomers import newcomers
from tests.detection.report import pasted
from tests.detection.texts import clinc

KEYS: Final = (100,)
BENIGN: Final = 1000
PARTS: Final = (0.1, 0.2, 0.3, 0.4, 0.45, 0.49, 0.6, 0.8, 1.0)
"""Of the campaign, after which groups are looked at."""
WHOLE: Final = (0.4, 1.0)
"""Those after which cohorts are found anew."""
HALF: Final = 0.5
LIVES: Final = 3000
"""Benign keys that are learnt from."""
STEP: Final = 0.7
"""The suspicion of the mildest step of a ladder."""
SUBJECTS: Final = 4096


class World:
    """What the watcher keeps of all of them."""

    def __init__(self, known: Learnt) -> None:
        self.linker = Linker(known.known, KEY, SUBJECTS)
        self._known, self._layout = known, known.watch.layout
        self.callers: dict[str, Caller] = {}

    def ask(self, caller: Caller, end: int) -> None:
        """Up to so many of its queries."""
        self.callers[caller.name] = caller
        for at in range(caller.asked, end):
            each, caller.asked = caller.exchanges[at], at + 1
            seen = observation(caller, each.time)
            digests = each.digests.tolist()
            caller.digests.update(digests)
            caller.counters = next(caller.profiles)
            self.linker.observe(seen, caller.name, digests)
            if self.linker.groups.due(caller.name, len(caller.digests)) or at == end - 1:
                told = self._layout.evidence(caller.counters)
                life = Life(float(caller.life.times[0]), len(caller.digests), caller.counters, told)
                self.linker.count(seen, caller.name, "", caller.traffic, life)

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
        entries = self.linker.groups.entries
        return {name for key in keys for name in entries.get(key.name, NOWHERE).groups}

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
        other = World(self._known)
        other.linker = copied(self.linker, self._known.known)
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
    other._own = dict(linker._own)
    for caller, entry in linker.groups.entries.items():
        other.groups.hear(caller, entry)
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


def trial(world: World, keys: Sequence[Caller], known: Learnt) -> Trial:
    found = Trial()
    before = world.suspected()
    for part in PARTS:
        for number, key in enumerate(keys):  # one after the other, where each asks once
            world.ask(key, int(part * len(key.exchanges) + number / len(keys) + 1e-9))
        suspected = (world.suspected() - before) & world.mine(keys)
        found.grouped = min(found.grouped, part if suspected else math.inf)
        if part in WHOLE:
            world.rebuild()
            if world.cohorts(ALARM):
                found.cohort = min(found.cohort, part)
    lifts = world.linker.judged.lifts
    found.linked = sum(_attackers(each) for each in world.cohorts(0.0))
    found.lifted = sum(lifts.get(key.name, 0.0) >= STEP for key in keys)
    found.alone = sum(_alone(key, known) >= ALARM for key in keys)
    benign = [lift for name, lift in lifts.items() if name.startswith("b")]
    found.highest = max(benign, default=0.0)
    found.blamed = sum(lift >= STEP for lift in benign)
    return found


def _alone(key: Caller, known: Learnt) -> float:
    nats = combined(known.watch.layout.evidence(key.counters), known.discounts[key.traffic])
    return suspicion(nats, known.thresholds[key.traffic])


def _attackers(cohort: Cohort) -> int:
    return sum(member.startswith("a") for member in cohort.members)


def main() -> int:
    asked, started = _arguments(), time.monotonic()

    def progress(said: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {said}", file=sys.stderr, flush=True)

    rng = np.random.default_rng(3)
    corpus = clinc(asked.data, rng)
    known = learnt(corpus, asked.lives, rng)
    progress("benign keys are learnt")
    worlds = []
    for run in range(asked.runs):
        worlds.append(populated(known, run))
        progress(f"{BENIGN} benign keys, {run + 1} of {asked.runs}")
    lines = [*newcomers(known, rng), "", *_benign(worlds), "", *_HEAD]
    progress("groups of benign newcomers")
    texts = {
        "other domain": corpus.elsewhere,
        "word salad": salad(corpus, 3000, rng),
        "in-distribution": corpus.whole("tried"),
    }
    for name, rows in texts.items():
        for keys in asked.keys:
            for place, placed in PLACES.items():
                trials = [
                    trial(world.branched(), campaign(known, rows, keys, placed, rng), known)
                    for world in worlds
                ]
                lines.append(_row(name, keys, place, trials))
                progress(lines[-1])
    print(*lines, sep="\n")
    if asked.markdown is not None:
        page = pasted(asked.markdown.read_text(), "campaigns", "\n".join(lines))
        asked.markdown.write_text(page)
    return 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m tests.detection.campaigns", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--runs", type=int, default=5, help="of each campaign")
    parser.add_argument("--keys", type=int, nargs="*", default=KEYS)
    parser.add_argument("--lives", type=int, default=LIVES, help="benign keys to learn from")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="paste it there as well")
    return parser.parse_args()


def populated(known: Learnt, run: int) -> World:
    rng, world = np.random.default_rng([run, 0]), World(known)
    for number in range(BENIGN):
        caller = benign(known, number, rng)
        world.ask(caller, len(caller.exchanges))
    return world


def _benign(worlds: Sequence[World]) -> Iterator[str]:
    """What is found where nobody attacks."""
    cohorts, members, suspected, lifts = 0, 0, 0, []
    for world in worlds:
        world.rebuild()
        told = world.linker.judged
        cohorts += len(told.cohorts)
        members += sum(len(each.members) for each in told.cohorts.values())
        suspected += sum(each >= ALARM for each in told.suspicions.values())
        lifts.append(max(told.lifts.values(), default=0.0))
    yield (
        f"Benign keys alone, {len(worlds)} times {BENIGN:,}: {cohorts} cohorts of {members} keys, "
        f"{suspected} cohorts or groups suspected; the highest lift of a key {max(lifts):.2f}."
    )


_HEAD: Final = (
    (
        "| texts | keys | they have in common | found before half | served by then, median "
        "| as a group | as a cohort | linked | lifted | suspected alone | benign lifted | highest |"
    ),
    "|---|---:|---|" + "---:|" * 9,
)


def _row(texts: str, keys: int, place: str, trials: Sequence[Trial]) -> str:
    def mean(of: Callable[[Trial], float]) -> float:
        return float(np.mean([of(each) for each in trials]))

    when = float(np.median([each.found for each in trials]))
    return (
        f"| {texts} | {keys:,} | {place} | {mean(lambda each: each.found < HALF):.0%} | "
        f"{f'{when:.0%}' if when <= 1 else 'never'} | "
        f"{mean(lambda each: each.grouped < HALF):.0%} | "
        f"{mean(lambda each: each.cohort < HALF):.0%} | "
        f"{mean(lambda each: each.linked):.0f} | {mean(lambda each: each.lifted):.0f} | "
        f"{mean(lambda each: each.alone):.0f} | {mean(lambda each: each.blamed):.1f} | "
        f"{max(each.highest for each in trials):.2f} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
