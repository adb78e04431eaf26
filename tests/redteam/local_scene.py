"""A scene whose victim is a softmax regression in this process, served as a test says.

Rule: no gateway and no rounding of the product's: what is served is computed here, so that a known
result is reproduced against arithmetic alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attack import Attack, Copy, Finding
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget, BudgetSpent, Classifier
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.victims.victim import ClassifierVictim, Secret

Serve = Callable[[Floats], Floats | None]


def raw(scores: Floats) -> Floats:
    return scores


def label(_scores: Floats) -> None:
    return None


def rounded(digits: int) -> Serve:
    return lambda scores: np.round(scores, digits)


def top(k: int, digits: int) -> Serve:
    def serve(scores: Floats) -> Floats:
        least = np.sort(scores, axis=1)[:, [-k]]
        shown: Floats = np.where(scores >= least, scores, 0.0)
        return shown.round(digits)

    return serve


def binned(count: int) -> Serve:
    """The top class alone, by the middle of its bin."""

    def serve(scores: Floats) -> Floats:
        best = scores.max(axis=1, keepdims=True)
        middle = (np.minimum(np.floor(best * count), count - 1) + 0.5) / count
        return np.where(scores == best, middle, 0.0)

    return serve


@dataclass(slots=True)
class LocalClassifier(Classifier):
    """Answers from weights."""

    model: SoftmaxRegression
    serve: Serve
    asked: list[Floats] = field(default_factory=list)
    refuse_after: int = 10**9

    async def ask(self, inputs: Floats, *, key: int = 0, batch: int = 100) -> Answers:
        self.budget.take(len(inputs))
        if sum(map(len, self.asked)) >= self.refuse_after:
            return Answers.refused(len(inputs))
        self.asked.append(inputs)
        scores = self.model.probabilities(inputs)
        served = np.ones(len(inputs), bool)
        return Answers(scores.argmax(axis=1), self.serve(scores), served)


@dataclass(frozen=True, slots=True)
class LocalScene(Scene):
    local: LocalClassifier

    def classifier(self) -> Classifier:
        return self.local


@dataclass(frozen=True, slots=True)
class Known:
    """A victim all of which is known: its model, and who may be asked about."""

    victim: ClassifierVictim
    model: SoftmaxRegression

    def scene(
        self, serve: Serve, budgets: Sequence[int], seed: int, refuse_after: int = 10**9
    ) -> LocalScene:
        client, budget = Client("http://127.0.0.1"), Budget(budgets[-1])
        local = LocalClassifier(
            *(client, self.victim.adapter, self.victim.classes, budget),
            *(self.model, serve, [], refuse_after),
        )
        rng = np.random.default_rng(seed)
        return LocalScene(self.victim, client, client, budget, tuple(budgets), rng, local)

    @property
    def test(self) -> Floats:
        return self.victim.secret.test

    def uniform(self) -> Floats:
        rng = np.random.default_rng(5)
        return rng.uniform(self.victim.low, self.victim.high, (2_000, self.victim.dimensions))

    def agreement(self, copy: Callable[[Floats], Ints], inputs: Floats) -> float:
        return float((copy(inputs) == self.model(inputs)).mean())


async def gains(attack: Attack, scene: LocalScene) -> tuple[dict[int, list[Copy]], list[Finding]]:
    """Its copies by budget, and its findings."""
    copies: dict[int, list[Copy]] = {}
    findings = []
    try:
        async for gain in attack.run(scene):
            if isinstance(gain, Copy):
                copies.setdefault(gain.budget, []).append(gain)
            elif isinstance(gain, Finding):
                findings.append(gain)
    except BudgetSpent:
        pass
    return copies, findings


@cache
def digits() -> Known:
    """scikit-learn's digits, as of the reference: 10 classes, 64 inputs of 0 to 16."""
    images, labels = load_digits(return_X_y=True)
    return _known("digits", images, labels, np.zeros(64), np.full(64, 16.0))


@cache
def cancer() -> Known:
    """scikit-learn's tumours, each column between 0 and 1: 2 classes, 30 inputs."""
    rows, labels = load_breast_cancer(return_X_y=True)
    low, high = rows.min(axis=0), rows.max(axis=0)
    return _known("cancer", (rows - low) / (high - low), labels, np.zeros(30), np.ones(30))


def _known(name: str, rows: Floats, labels: Ints, low: Floats, high: Floats) -> Known:
    members, held, truths, truth = train_test_split(
        rows, labels, test_size=0.3, random_state=0, stratify=labels
    )
    fitted = LogisticRegression(max_iter=2_000).fit((members - low) / (high - low), truths)
    slopes = fitted.coef_.T / (high - low)[:, None]
    weights = np.vstack([slopes, fitted.intercept_ - low @ slopes])
    if weights.shape[1] == 1:
        weights = np.hstack([np.zeros_like(weights), weights])
    half = len(held) // 2
    secret = Secret(held[:half], truth[:half], members, truths, held[half:], truth[half:])
    classes = weights.shape[1]
    victim = ClassifierVictim(
        name=name,
        about="",
        adapter=Kserve(name, "features", classes),
        dimensions=len(low),
        classes=classes,
        low=low,
        high=high,
        task=held[half:],
        natural=held[half:],
        secret=secret,
        linear=True,
    )
    return Known(victim, SoftmaxRegression(weights))
