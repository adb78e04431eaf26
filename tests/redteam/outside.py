"""Our attacks beside those of the adversarial-robustness-toolbox: make outside.

Rule: both ask the same victim about the same natural inputs of another kind (pieces of photographs)
with the same budget, and learn from labels; agreement is with the victim, on its own test inputs.
Their thief is a perceptron as wide as the victim's, for as many epochs as help it; ours choose by
their own validation.  It ends with 1 where ours is weaker by more than the interval of the
differences between seeds.

Source: Nicolae et al., 2018, "Adversarial Robustness Toolbox v1.0.0" (KnockoffNets and CopycatCNN
of art.attacks.extraction).  Its packages are locked in requirements-outside.lock, apart from ours.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from art.attacks.extraction import CopycatCNN, KnockoffNets
from art.estimators import BaseEstimator
from art.estimators.classification import ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.neural_network import MLPClassifier

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack
from extproc.redteam.attacks import copycat, knockoff_adaptive, knockoff_random
from extproc.redteam.measures.interval import of_mean
from tests.redteam.comparison import SEEDS, by_budget, shown, table
from tests.redteam.digits_tasks import task
from tests.redteam.local import Scores, Task

BUDGETS: Final = (300, 1_000, 3_000)
VICTIMS: Final = ("logistic regression", "perceptron")
POOL: Final = 6_000
EPOCHS: Final = 50
KINDS: Final = 20
"""Clusters of inputs, that stand for the labels which their adaptive thief wants."""
HEADS: Final = ("victim", "attack", "queries", "ours", "theirs", "ours less theirs", "ours is")
ABOUT: Final = f"""# Our attacks beside those of the adversarial-robustness-toolbox

`make outside ARGS="--markdown docs/redteam/outside.md"` wrote this file: both attack the same
models in one process, without a gateway, with labels of the same natural inputs of another kind
(pieces of photographs) and the same budget, over {len(SEEDS)} seeds. Numbers are agreement with the
victim on its own test inputs, with 95 % intervals. "Weaker": the whole interval of the differences,
seed by seed, lies below zero.
"""


class Victim(ClassifierMixin, BaseEstimator):
    """Answers with a model's scores; it is not trained."""

    def __init__(self, scores: Scores, dimensions: int, classes: int) -> None:
        super().__init__(model=scores, clip_values=None)
        self._scores, self._shape, self._nb_classes = scores, (dimensions,), classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self._shape

    def predict(self, x: Floats, **_: Any) -> Floats:
        return self._scores(x)

    def fit(self, x: Floats, y: Floats, **_: Any) -> None:
        raise NotImplementedError("a victim is not trained")


class Thief(ClassifierMixin, BaseEstimator):
    """A perceptron that learns on from where it was, epoch by epoch."""

    def __init__(self, dimensions: int, classes: int, seed: int) -> None:
        model = MLPClassifier((64,), batch_size=64, alpha=1e-4, random_state=seed)
        super().__init__(model=model, clip_values=None)
        self._shape, self._nb_classes = (dimensions,), classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self._shape

    def predict(self, x: Floats, **_: Any) -> Floats:
        likely: Floats = self._model.predict_proba(x / 16)
        return likely

    def fit(self, x: Floats, y: Floats, *, nb_epochs: int = 1, **_: Any) -> None:
        self._model.set_params(batch_size=min(64, len(x)))
        for _epoch in range(nb_epochs):
            self._model.partial_fit(x / 16, y.argmax(axis=1), classes=np.arange(self._nb_classes))


def _random(victim: Victim, thief: Thief, pool: Floats, kinds: Ints, budget: int) -> None:
    attack = KnockoffNets(
        victim, batch_size_fit=64, batch_size_query=100, nb_epochs=EPOCHS, nb_stolen=budget
    )
    attack.extract(pool, thieved_classifier=thief)


def _adaptive(victim: Victim, thief: Thief, pool: Floats, kinds: Ints, budget: int) -> None:
    attack = KnockoffNets(
        victim,
        batch_size_fit=64,
        nb_epochs=EPOCHS,
        nb_stolen=budget,
        sampling_strategy="adaptive",
        verbose=False,
    )
    attack.extract(pool, kinds, thieved_classifier=thief)


def _copycat(victim: Victim, thief: Thief, pool: Floats, kinds: Ints, budget: int) -> None:
    attack = CopycatCNN(
        victim, batch_size_fit=64, batch_size_query=100, nb_epochs=EPOCHS, nb_stolen=budget
    )
    attack.extract(pool, thieved_classifier=thief)


Extract = Callable[[Victim, Thief, Floats, Ints, int], None]
PAIRS: Final[Sequence[tuple[Attack, Extract]]] = (
    (knockoff_random.ATTACK, _random),
    (knockoff_adaptive.ATTACK, _adaptive),
    (copycat.ATTACK, _copycat),
)


def theirs(extract: Extract, of: Task, kinds: Ints, budget: int, seed: int) -> float:
    """Agreement of their copy.  Their attacks draw from NumPy's global generator."""
    np.random.seed(seed)  # noqa: NPY002
    dimensions = len(of.low)
    thief = Thief(dimensions, of.classes, seed)
    extract(Victim(of.scores, dimensions, of.classes), thief, of.natural, kinds, budget)
    return float(np.mean(thief.predict(of.test).argmax(axis=1) == of.truth()))


def rows() -> Iterator[list[str]]:
    for victim in VICTIMS:
        of = task(victim, POOL)
        kinds = KMeans(KINDS, n_init=1, random_state=0).fit_predict(of.natural)
        for attack, extract in PAIRS:
            ours = by_budget(attack, of, BUDGETS, "label")
            for budget in BUDGETS:
                other = [theirs(extract, of, kinds, budget, seed) for seed in SEEDS]
                yield [victim, attack.name, f"{budget:,}", *_compared(ours[budget], other)]


def _compared(ours: Sequence[float], other: Sequence[float]) -> list[str]:
    less = of_mean([mine - its for mine, its in zip(ours, other, strict=True)])
    said = "at least as strong" if less.value >= 0 else "lower, within the interval"
    both = (of_mean(each).within(0, 1) for each in (ours, other))
    return [*map(shown, both), shown(less), "weaker" if less.high < 0 else said]


def main() -> None:
    parser = argparse.ArgumentParser(description="Our attacks beside those of ART.")
    parser.add_argument("--markdown", type=Path, help="a file to write, besides printing")
    into: Path | None = parser.parse_args().markdown
    found = list(rows())
    text = f"{ABOUT}\n{table(HEADS, found)}\n"
    print(text)
    if into is not None:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(text, encoding="utf-8")
    sys.exit(any(row[-1] == "weaker" for row in found))


if __name__ == "__main__":
    main()
