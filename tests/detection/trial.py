"""One trial: benign callers set the thresholds, others try them, and thieves try to pass.

Rule: who sets a threshold asks other texts than who tries it.  Everybody is looked at after every
query, benign lives to their end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.lives import Watch
from extproc.calibration.thresholds import Course, combined, threshold
from extproc.detectors.calibration import Threshold
from tests.detection.attackers import ATTACKS
from tests.detection.cores import spread
from tests.detection.judged import Judge, firsts
from tests.detection.populations import FOUR, ODD, Kind, Life, evaluation
from tests.detection.texts import Corpus, Part

EVALUATION: Final = "evaluation"
"""The traffic class of callers who ask evenly for all there is, and say so."""


@dataclass(frozen=True)
class Sizes:
    benign: int = 3000
    """Lives of each of the four kinds, of those that try the thresholds."""
    setting: int = 2600
    """Lives of each of the four kinds, of those that set them."""
    growing: int = 125
    """Lives of each of the four kinds, of those that grow the isolation forest; 0 for none."""
    odd: int = 200
    """Lives of each other kind."""
    evaluations: int = 200
    """Lives that set the threshold of evaluations."""
    attackers: int = 200
    queries: int = 200
    """Of each attacker."""


@dataclass(frozen=True)
class Found:
    corpus: str
    sizes: Sizes
    floor: float
    thresholds: Mapping[str, Threshold]
    """By traffic class."""
    alarms: Mapping[tuple[str, str], tuple[int, int]]
    """By kind and class: how many of how many."""
    firsts: Mapping[tuple[str, str], npt.NDArray[np.int64]]
    """By attack and class: at which query each attacker was flagged."""


@dataclass(frozen=True)
class Trial:
    corpus: Corpus
    judge: Judge
    sizes: Sizes
    rng: np.random.Generator
    progress: Callable[[str], None]
    attacks: Sequence[str] = tuple(ATTACKS)
    wide: bool = False
    """Whether all cores work on it."""

    def run(self) -> Found:
        lives = {kind: self._lives(of, "set", self.sizes.setting) for kind, (of, _) in FOUR.items()}
        floor = self.judge.floor([life for some in lives.values() for life in some])
        self.progress(f"the floor of novelty is {floor}")
        watch = self.judge.panel(floor, self._grown())
        set_by = self._by_class(self._all_courses(watch, lives))
        even = self._lives(evaluation, "set", self.sizes.evaluations)
        set_by[EVALUATION] = self._courses(watch, even)
        others = self._courses_of(watch, {kind: of for kind, (of, _) in FOUR.items()})
        odd = self._courses_of(watch, ODD)
        tried = self._by_class(others) | {EVALUATION: odd["an evaluation harness"]}
        found = {name: threshold(watch.names, set_by[name], tried[name]) for name in set_by}
        self.progress(
            f"thresholds: { {name: round(each.nats, 2) for name, each in found.items()} }"
        )
        return Found(
            corpus=self.corpus.name,
            sizes=self.sizes,
            floor=floor,
            thresholds=found,
            alarms=dict(_alarms(watch.names, found, others, odd)),
            firsts=dict(self._attacks(watch, found)),
        )

    def _lives(self, kind: Kind, part: Part, many: int) -> list[Life]:
        return [kind(self.corpus, part, self.rng) for _ in range(many)]

    def _grown(self) -> list[Life]:
        """In an order by chance, of its own: all other lives are the same without them."""
        rng = np.random.default_rng(0)
        each = [[of] * self.sizes.growing for of, _ in FOUR.values()]
        kinds = rng.permutation(np.array(each, object).ravel())
        return [kind(self.corpus, "set", rng) for kind in kinds]

    def _courses(self, watch: Watch, lives: Sequence[Life]) -> list[Course]:
        self.judge.know_all()
        return spread(lambda life: watch.course(self.judge.exchanges(life)), lives, wide=self.wide)

    def _all_courses(
        self, watch: Watch, kinds: Mapping[str, Sequence[Life]]
    ) -> dict[str, list[Course]]:
        found = {}
        for name, lives in kinds.items():
            found[name] = self._courses(watch, lives)
            self.progress(f"{name}: {len(lives):,} lives")
        return found

    def _courses_of(self, watch: Watch, kinds: Mapping[str, Kind]) -> dict[str, list[Course]]:
        """Of lives that try the thresholds."""
        sizes = {name: self.sizes.benign if name in FOUR else self.sizes.odd for name in kinds}
        lives = {name: self._lives(kind, "tried", sizes[name]) for name, kind in kinds.items()}
        return self._all_courses(watch, lives)

    @staticmethod
    def _by_class(courses: Mapping[str, list[Course]]) -> dict[str, list[Course]]:
        found: dict[str, list[Course]] = {}
        for kind, (_, name) in FOUR.items():
            found.setdefault(name, []).extend(courses[kind])
        return found

    def _attacks(
        self, watch: Watch, thresholds: Mapping[str, Threshold]
    ) -> Iterator[tuple[tuple[str, str], npt.NDArray[np.int64]]]:
        for name in self.attacks:
            campaigns = [
                ATTACKS[name](self.corpus, self.sizes.queries, self.rng)
                for _ in range(self.sizes.attackers)
            ]
            self.judge.know_all()
            found = spread(
                lambda life: firsts(watch, [*thresholds.values()], self.judge.exchanges(life)),
                campaigns,
                wide=self.wide,
            )
            for traffic, reached in zip(thresholds, np.array(found, np.int64).T, strict=True):
                yield (name, traffic), reached
            self.progress(f"{name}: {len(campaigns)} attackers")


def _alarms(
    names: Sequence[str],
    thresholds: Mapping[str, Threshold],
    four: Mapping[str, list[Course]],
    odd: Mapping[str, list[Course]],
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """The four kinds in their own classes, the others in each."""
    for kind, courses in [*four.items(), *odd.items()]:
        for traffic in [FOUR[kind][1]] if kind in FOUR else thresholds:
            each = thresholds[traffic]
            peaks = [combined(names, course, each.discounts).max() for course in courses]
            yield (kind, traffic), (sum(peak >= each.nats for peak in peaks), len(peaks))
