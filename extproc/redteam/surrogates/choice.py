"""The thief's own choice among surrogates: families, and ways to read the answers.

Rule: it is made by validation on what was gathered, as a thief must; the judge has no part in it.
That a defence makes one way bad costs a thief nothing then (Orekondy, Schiele and Fritz, 2019,
"Knockoff Nets", compare families; Jagielski et al., 2020, readings of answers), and a defence is
worth what it takes from the best way.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates import forest, kernel, softmax_regression
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.mixture import Likely, Mixture
from extproc.redteam.surrogates.perceptron import Committee, Course, Lesson, Scale, Singles, train

Labels = Callable[[Floats], Ints]

FEWEST: Final = 10
"""Answers below which the commonest label is all that is copied."""
FOLDS: Final = 3
"""Parts that a small gathering is validated on in turn; a larger one is on a fifth, once."""
SMALL: Final = 300
LARGE: Final = 3_000
"""Answers from which on a tenth is enough to validate on, and what was validated is the copy."""
PERFECT: Final = 0.995
"""Agreement in validation at which no other family is tried."""
MEMBERS: Final = 3
"""Perceptrons of a committee."""
_KEPT: Final = ((LARGE, 2), (SMALL, 3))
"""From so many answers on, so many of the best ways are tried again."""
_WIDE: Final = 50_000
"""Weights above which softmax regression takes more time than it is worth."""


class Family(StrEnum):
    SOFTMAX = "softmax regression"
    KERNEL = "kernel ridge"
    PERCEPTRON = "perceptron"
    FOREST = "forest"


@dataclass(frozen=True, slots=True)
class Way:
    """A family, and a way to read answers, as `Gathered.targets` names it."""

    family: Family
    reading: str


@dataclass(frozen=True, slots=True)
class Constant:
    label: int

    def __call__(self, inputs: Floats) -> Ints:
        return np.full(len(inputs), self.label)


@dataclass(slots=True)
class Chooser:
    """Trains copies of one victim, from gathering to larger gathering."""

    low: Floats
    high: Floats
    rng: np.random.Generator
    families: Collection[Family] = tuple(Family)
    readings: Collection[str] = ("scores", "renormalised scores", "labels")
    balanced: bool = False
    """Whether each label gets as many rows, by repeating those that are rare."""
    typical: int | None = None
    """Rows at the beginning of a gathering that are like what the copy is for: it is validated on
    these, where others are made up; None: on all."""
    standing: list[tuple[Way, float]] = field(default_factory=list)
    """The ways of the last choice with their agreement in validation, the best first."""

    def fit(self, gathered: Gathered) -> Labels:
        """The copy that did best in validation, or two of different families together."""
        if len(gathered) < FEWEST or len(np.unique(gathered.labels)) < 2:
            return Constant(int(np.bincount(gathered.labels, minlength=1).argmax()))
        study = _Study(gathered, self.low, self.high, self.rng, self.balanced)
        folds = _folds(len(gathered), self.typical, self.rng)
        tried = self._tried(study, folds)
        tried.sort(key=lambda each: -each.agreement)
        self.standing = [(each.way, each.agreement) for each in tried]
        best = study.best(tried, folds)
        if len(gathered) >= LARGE and self.typical is None:
            return _one([each.copies[-1] for each in best])
        return _one([study.trained(each.way) for each in best])

    def _tried(self, study: "_Study", folds: Sequence[Ints]) -> "list[_Tried]":
        """Way by way, and all ways of perceptrons together, until one is perfect."""
        ways, tried = self._ways(study), list[_Tried]()
        for mine in _together(ways):
            tried += study.validated(mine, folds)
            if any(each.agreement >= PERFECT for each in tried):
                break
        return tried

    def _ways(self, study: "_Study") -> list[Way]:
        """Those that did well before, and those that were not known before."""
        known = {way for way, _ in self.standing}
        count = next((kept for least, kept in _KEPT if len(study.gathered) >= least), len(known))
        good = {way for way, _ in self.standing[:count]}
        wide = self.low.size * study.gathered.scores.shape[1] > _WIDE
        return [
            way
            for family in self.families
            if not (wide and family is Family.SOFTMAX)
            for reading in self.readings
            if reading in study.readings
            for way in [Way(family, reading)]
            if way in good or way not in known
        ]


def _together(ways: Sequence[Way]) -> list[list[Way]]:
    """Perceptrons are trained together, others one by one."""
    return [
        list(mine)
        for key, mine in groupby(
            ways, lambda way: way.family if way.family is Family.PERCEPTRON else way
        )
    ]


def _one(copies: Sequence[Likely]) -> Labels:
    return copies[0] if len(copies) == 1 else Mixture(tuple(copies))


def course(rows: int) -> Course:
    """How long perceptrons learn from so many rows."""
    return Course(steps=int(100 * rows**0.22), batch=64 if rows < 1_000 else 128)


def _folds(count: int, typical: int | None, rng: np.random.Generator) -> list[Ints]:
    """Places to validate on."""
    order = rng.permutation(min(count, typical or count))
    if count < SMALL:
        return np.array_split(order, FOLDS)
    if typical is not None and typical < count:
        return [order[: len(order) // 2]]
    return [order[: count // (10 if count >= LARGE else 5)]]


@dataclass(frozen=True, slots=True)
class _Tried:
    """A way, the copies that it gave from what was not in each fold, and their mean agreement."""

    way: Way
    copies: Sequence[Likely]
    agreement: float


@dataclass(slots=True)
class _Study:
    """One gathering, and what is made of it."""

    gathered: Gathered
    low: Floats
    high: Floats
    rng: np.random.Generator
    balanced: bool
    scale: Scale = field(init=False)
    readings: Mapping[str, Floats] = field(init=False)
    _scaled: Singles = field(init=False)

    def __post_init__(self) -> None:
        self.scale = Scale.of(self.gathered.inputs, self.low, self.high)
        self.readings = self.gathered.targets()
        self._scaled = self.scale(self.gathered.inputs)

    def validated(self, ways: Sequence[Way], folds: Sequence[Ints]) -> list[_Tried]:
        """Ways of one family, each tried on all folds."""
        rows = [np.setdiff1d(np.arange(len(self.gathered)), fold) for fold in folds]
        each = [(way, kept) for way in ways for kept in rows]
        copies = iter(self._fitted(each, 1))
        found = []
        for way in ways:
            mine = [next(copies) for _ in folds]
            found.append(_Tried(way, mine, self._agreement(mine, folds)))
        return found

    def best(self, tried: Sequence[_Tried], folds: Sequence[Ints]) -> Sequence[_Tried]:
        """The first of those tried, best first; with it the first of another family, where both
        together agree in validation as often.
        """
        first = tried[0]
        others = [each for each in tried if each.way.family is not first.way.family]
        if first.agreement < PERFECT and others:
            pairs = zip(first.copies, others[0].copies, strict=True)
            if self._agreement([Mixture(pair) for pair in pairs], folds) >= first.agreement:
                return [first, others[0]]
        return [first]

    def trained(self, way: Way) -> Likely:
        """On all rows."""
        return self._fitted([(way, np.arange(len(self.gathered)))], MEMBERS)[0]

    def _fitted(self, each: Sequence[tuple[Way, Ints]], members: int) -> list[Likely]:
        """A copy for each way and rows, all of one family."""
        if each and each[0][0].family is Family.PERCEPTRON:
            return self._committees(each, members)
        return [self._alone(way, self._dealt(rows)) for way, rows in each]

    def _committees(self, each: Sequence[tuple[Way, Ints]], members: int) -> list[Likely]:
        """All perceptrons in lockstep."""
        targets = {way: self.readings[way.reading].astype(np.float32) for way, _ in each}
        lessons = [
            Lesson(self._dealt(rows), targets[way]) for way, rows in each for _ in range(members)
        ]
        trained = train(self._scaled, lessons, self.rng, course(len(self.gathered)))
        return [
            Committee(self.scale, trained.members(at, at + members))
            for at in range(0, len(lessons), members)
        ]

    def _alone(self, way: Way, rows: Ints) -> Likely:
        linear = way.family is Family.SOFTMAX
        if linear and way.reading != "labels" and len(rows) > LARGE:
            # Scores of so many settle its weights; the time goes into finding them to the end.
            rows = self.rng.choice(rows, LARGE, replace=False)
        inputs, targets = self.gathered.inputs[rows], self.readings[way.reading][rows]
        if way.family is Family.FOREST:
            return forest.fit(inputs, targets, self.rng)
        if way.family is Family.KERNEL:
            return kernel.fit(inputs, targets, self.low, self.high, self.rng)
        rounds = 100 if len(rows) <= LARGE else 40
        return softmax_regression.fit(inputs, targets, targets.shape[1], rounds=rounds)

    def _dealt(self, rows: Ints) -> Ints:
        """Rows, as often as they are to be learnt from."""
        if not self.balanced:
            return rows
        labels = self.gathered.labels[rows]
        counts = np.bincount(labels)
        return np.repeat(rows, np.round(counts.max() / counts[labels]).astype(np.int64))

    def _agreement(self, copies: Sequence[Labels], folds: Sequence[Ints]) -> float:
        """The mean over folds, of a copy each."""
        known = self.gathered
        agreed = [
            np.mean(copy(known.inputs[fold]) == known.labels[fold])
            for copy, fold in zip(copies, folds, strict=True)
        ]
        return float(np.mean(agreed))
