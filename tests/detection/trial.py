"""One trial: benign callers set the thresholds, others try them, and thieves try to pass.

Rule: who sets a threshold asks other texts than who tries it.  Benign lives are looked at to their
end, after every one of the first fifty queries and every fifth of those that follow; ``missed``
says what that leaves out.  Attackers are looked at after every query.
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
from tests.detection.judged import Judge, firsts
from tests.detection.populations import FOUR, ODD, Kind, Life, evaluation
from tests.detection.texts import Corpus, Part

STEP: Final = 5
EVALUATION: Final = "evaluation"
"""The traffic class of callers who ask evenly for all there is, and say so."""


@dataclass(frozen=True)
class Sizes:
    benign: int = 750
    """Lives of each of the four kinds, of those that try the thresholds."""
    setting: int = 1000
    """Lives of each of the four kinds, of those that set them."""
    odd: int = 200
    """Lives of each other kind."""
    evaluations: int = 200
    """Lives that set the threshold of evaluations."""
    attackers: int = 200
    queries: int = 200
    """Of each attacker."""
    checked: int = 50
    """Lives of each kind that are looked at after every query too."""


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
    missed: float
    """Nats, at most, by which a life came to more between two looks."""


@dataclass(frozen=True)
class Trial:
    corpus: Corpus
    judge: Judge
    sizes: Sizes
    rng: np.random.Generator
    progress: Callable[[str], None]
    attacks: Sequence[str] = tuple(ATTACKS)

    def run(self) -> Found:
        lives = {kind: self._lives(of, "set", self.sizes.setting) for kind, (of, _) in FOUR.items()}
        floor = self.judge.floor([life for some in lives.values() for life in some])
        self.progress(f"the floor of novelty is {floor}")
        watch = self.judge.panel(floor)
        set_by = self._by_class({kind: self._courses(watch, some) for kind, some in lives.items()})
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
            missed=self._missed(watch, found["user"]),
        )

    def _lives(self, kind: Kind, part: Part, many: int) -> list[Life]:
        return [kind(self.corpus, part, self.rng) for _ in range(many)]

    def _courses(self, watch: Watch, lives: Sequence[Life]) -> list[Course]:
        return [watch.course(self.judge.exchanges(life), STEP) for life in lives]

    def _courses_of(self, watch: Watch, kinds: Mapping[str, Kind]) -> dict[str, list[Course]]:
        found = {}
        for name, kind in kinds.items():
            many = self.sizes.benign if name in FOUR else self.sizes.odd
            found[name] = self._courses(watch, self._lives(kind, "tried", many))
            self.progress(f"{name}: {many} lives")
        return found

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
            found = [
                firsts(watch, [*thresholds.values()], self.judge.exchanges(life))
                for life in campaigns
            ]
            for traffic, reached in zip(thresholds, np.array(found, np.int64).T, strict=True):
                yield (name, traffic), reached
            self.progress(f"{name}: {len(campaigns)} attackers")

    def _missed(self, watch: Watch, user: Threshold) -> float:
        """By looking at some lives after every query."""
        most = 0.0
        for kind, _ in FOUR.values():
            for life in self._lives(kind, "tried", self.sizes.checked):
                all_of, some = (
                    combined(
                        watch.names, watch.course(self.judge.exchanges(life), step), user.discounts
                    )
                    for step in (1, STEP)
                )
                most = max(most, float(all_of.max() - some.max()))
        return most


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
