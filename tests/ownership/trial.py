"""Who is found by what a copy says, and what is found of models that are clean."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from extproc.demo.server.models import digits
from extproc.draw import Draw
from extproc.marks.stamps import stamp
from extproc.marks.statistics import two_sample
from extproc.ownership.judging import Judged, judged
from extproc.redteam.answers import Floats
from extproc.redteam.laundering.labels import Labels
from extproc.redteam.surrogates.by_heart import ROUNDS
from extproc.redteam.surrogates.perceptron import Course, Lesson, Scale, softmax, train
from extproc.redteam.victims.victim import ClassifierVictim
from tests.ownership.copies import KINDS, LAUNDERED, means, perceptron
from tests.ownership.theft import RATE, Told, said, scores, told, victim

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """Of one copy, the worst of some keys."""

    name: str
    thief: Judged
    """Of whom it was stolen by."""
    bystander: Judged
    """Of another, who asked as much."""
    agreement: float
    """With the victim, on its own kind of inputs."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Models that were made without the victim's answers, each judged under a key of its own."""

    models: int
    below: int
    """p-values below a thousandth."""
    least: float
    """In bits."""
    uniform: float
    """Kolmogorov and Smirnov's p-value, of p-values that are randomised within what is exactly as
    many."""
    levels: Sequence[tuple[float, float]]
    """Levels, and the share of exact p-values below each."""


def trial(asked: int, keys: int, progress: Progress) -> tuple[list[Row], list[Row]]:
    """Copies of each kind, and one that is laundered; thief and bystander ask so much each."""
    found = [_under(b"%d" % key, asked, progress) for key in range(keys)]
    kinds, laundered = zip(*found, strict=True)
    return _worst_of_each(kinds), _worst_of_each(laundered)


def growth(budgets: Sequence[int], keys: int, progress: Progress) -> list[tuple[int, list[Row]]]:
    """What copies that learn single answers carry of so many."""
    found = []
    for asked in budgets:
        progress(f"{asked} asked")
        under = [_grown(b"%d" % key, asked) for key in range(keys)]
        found.append((asked, _worst_of_each(under)))
    return found


GROWN: Final = (f"perceptron, {ROUNDS} rounds", "forest, of all answers")


def _grown(key: bytes, asked: int) -> list[Row]:
    known = victim()
    both = _both(key, asked, known)
    copies = ((name, KINDS[name](both[0], known, np.random.default_rng(1))) for name in GROWN)
    return [row(name, copy, both, known) for name, copy in copies]


def _both(key: bytes, asked: int, known: ClassifierVictim) -> list[Told]:
    """The thief, and a bystander."""
    pool = np.random.default_rng([7, *key]).permutation(known.natural)
    return [told("thief", pool[:asked], key), told("bystander", pool[len(pool) - asked :], key)]


def _worst_of_each(found: Sequence[Sequence[Row]]) -> list[Row]:
    each = zip(*found, strict=True)
    return [max(rows, key=lambda each: each.thief.corrected) for rows in each]


def _under(key: bytes, asked: int, progress: Progress) -> tuple[list[Row], list[Row]]:
    known = victim()
    both = _both(key, asked, known)
    kinds, laundered = [], []
    for name, fit in KINDS.items():
        progress(name)
        kinds.append(row(name, fit(both[0], known, np.random.default_rng(1)), both, known))
    copy = perceptron(both[0], known, np.random.default_rng(1), rounds=ROUNDS)
    for name, launder in LAUNDERED.items():
        progress(name)
        clean = launder(copy, both[0], means(known, np.random.default_rng(2)))
        laundered.append(row(name, clean, both, known))
    return kinds, laundered


def row(name: str, copy: Labels, everybody: Sequence[Told], known: ClassifierVictim) -> Row:
    cells = {each.who: each.cells for each in everybody}
    tenants = {each.who: [each.who.tenant] for each in everybody}
    found = {each.tenant: each for each in judged(cells, tenants, said(copy, everybody)).labels}
    test = known.secret.test
    agreement = float(np.mean(copy(test) == scores(test).argmax(axis=1)))
    return Row(name, found["thief"], found["bystander"], agreement)


MEMBERS: Final = 50
"""Clean models that are trained at once."""
CELLS: Final = 4000
"""That they are asked about, of which a fortieth are marks or controls."""


def clean(models: int, progress: Progress) -> Clean:
    """Perceptrons that were taught digits by people's labels, each by other images."""
    known = victim()
    pool = known.natural[:CELLS]
    order = np.argsort(-scores(pool), axis=1, kind="stable")
    cells = [b"%d" % number for number in range(CELLS)]
    exact, randomised = [], []
    generator = np.random.default_rng(3)
    for number, labels in enumerate(_clean(models, known, pool, progress)):
        draw = Draw(b"clean %d" % number)
        stamps = np.array([stamp(draw.child(cell), RATE) or "" for cell in cells])
        agrees = labels == order[:, 1]
        marks, controls = agrees[stamps == "mark"], agrees[stamps == "control"]
        tail = two_sample((int(marks.sum()), len(marks)), (int(controls.sum()), len(controls)))
        exact.append(tail.at_least)
        randomised.append(tail.randomised(generator.random()))
    p = np.exp2(exact)
    return Clean(
        models,
        int((p < 1e-3).sum()),
        min(exact),
        float(stats.kstest(randomised, "uniform").pvalue),
        [(level, float(np.mean(p <= level))) for level in (0.001, 0.01, 0.05, 0.1, 0.5)],
    )


def _clean(
    models: int, known: ClassifierVictim, pool: Floats, progress: Progress
) -> Iterator[Floats]:
    images, _, truth, _ = digits.split()
    scale = Scale.of(images, known.low, known.high)
    targets = np.eye(known.classes, dtype=np.float32)[truth]
    rng = np.random.default_rng(4)
    for start in range(0, models, MEMBERS):
        many = min(MEMBERS, models - start)
        rows = [rng.choice(len(images), 600, replace=False) for _ in range(many)]
        lessons = [Lesson(each, targets) for each in rows]
        taught = train(scale(images), lessons, rng, Course(hidden=(24,), steps=150))
        for at in range(many):
            yield softmax(taught.members(at, at + 1).logits(scale(pool)))[0].argmax(axis=1)
        progress(f"{start + many} clean models")
