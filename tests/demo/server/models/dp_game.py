"""A game that tells whether a record was trained on, by all that training shows.

Jagielski, Ullman, Oprea, 2020, "Auditing Differentially Private Machine Learning": an odd record is
added or not, the model trained many times, and how often one is right is held against epsilon; Nasr
et al., 2021, "Adversary Instantiation": whoever sees each step sees most.  Half of the runs say
where to draw the line, the others are counted.
"""

import numpy as np

from extproc.demo.server.models.classifier import Bools, Floats, Ints
from extproc.demo.server.models.dp_sgd import Recipe, Step, clipped_sum, steps
from extproc.redteam.measures.privacy_bound import of_runs

_SHAPE = (8, 3)
_RNG = np.random.default_rng(0)
ROWS = _RNG.uniform(0, 0.1, (12, 4))
LABELS: Ints = ROWS[:, :3].argmax(axis=1).astype(np.int64)
ODD, ODD_LABEL = np.array([[0.0, 0.0, 0.0, 9.0]]), np.array([2])
"""Far from the others, so that hardly a step of theirs goes its way."""


def proven(recipe: Recipe, runs: int, delta: float, seed: int = 1) -> float:
    """Epsilon at least, by so many runs with the odd record and as many without it."""
    rng = np.random.default_rng(seed)
    rows, labels = np.concatenate([ROWS, ODD]), np.concatenate([LABELS, ODD_LABEL])
    there = np.array([_signal(rows, labels, recipe, rng) for _ in range(runs)])
    not_there = np.array([_signal(ROWS, LABELS, recipe, rng) for _ in range(runs)])
    line = _line(there[::2], not_there[::2])
    said, falsely = int((there[1::2] > line).sum()), int((not_there[1::2] > line).sum())
    return of_runs((said, runs // 2), (falsely, runs // 2), delta)


def _signal(rows: Floats, labels: Ints, recipe: Recipe, rng: np.random.Generator) -> float:
    """How far all steps went the way of the odd record."""
    return sum(_way(each, recipe) for each in steps(rows, labels, _SHAPE, recipe, rng))


def _way(step: Step, recipe: Recipe) -> float:
    gradient = clipped_sum(step.before, ODD, ODD_LABEL, recipe.clip)
    way = np.concatenate([part.ravel() for part in gradient])
    went = np.concatenate([part.ravel() for part in step.total])
    return float(way @ went / np.linalg.norm(way))


def _line(there: Floats, not_there: Floats) -> float:
    """Where the runs that one learns from prove most."""
    lines = np.quantile(np.concatenate([there, not_there]), np.linspace(0.02, 0.98, 49))
    return float(max(lines, key=lambda line: _worth(there > line, not_there > line)))


def _worth(found: Bools, alarms: Bools) -> float:
    return of_runs((int(found.sum()), len(found)), (int(alarms.sum()), len(alarms)), 0.0)
