"""Distil from natural inputs of another kind, of the kinds that pay.

Paper: Orekondy, Schiele and Fritz, 2019, "Knockoff Nets: Stealing Functionality of Black-Box
Models", CVPR, section 4.1.2, the adaptive strategy: a gradient bandit over kinds of inputs, paid in
certainty of the victim, diversity of its answers and error of the copy so far.  Their kinds are the
labels of the thief's own data; here, where it has none, clusters of it.  A round asks many inputs
instead of one, and each kind is paid what its inputs earned on average.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sklearn.cluster import KMeans

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attack import Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil

KINDS: Final = 20
ROUND: Final = 500
"""Inputs asked between two payments, at most."""
_CLUSTERED: Final = 3_000
"""Inputs that the clusters are found on."""
_RATE: Final = 2.0
"""How fast what was paid changes what is asked."""
_LEAST: Final = 1e-6


@dataclass(slots=True)
class Bandit:
    """Prefers kinds that paid more than the average so far (Sutton and Barto, 2018, section 2.8).

    ``left`` are the places of each kind's inputs that were not asked about yet.
    """

    left: list[list[int]]
    rng: np.random.Generator
    preference: Floats = field(init=False)
    _baseline: float = 0.0
    _paid: int = 0

    def __post_init__(self) -> None:
        self.preference = np.zeros(len(self.left))

    def shares(self) -> Floats:
        """How often each kind is drawn; a kind of which nothing is left, never."""
        raised = np.exp(self.preference - self.preference.max())
        raised *= [len(each) > 0 for each in self.left]
        drawn: Floats = raised / raised.sum()
        return drawn

    def draw(self, count: int) -> tuple[Ints, Ints]:
        """Places of ``count`` inputs, fewer at the end, and their kinds."""
        places: list[int] = []
        kinds: list[int] = []
        while len(places) < count and any(self.left):
            for kind in self.rng.choice(len(self.left), count - len(places), p=self.shares()):
                if self.left[kind]:
                    places.append(self.left[kind].pop())
                    kinds.append(int(kind))
        return np.array(places, np.int64), np.array(kinds, np.int64)

    def pay(self, kinds: Ints, rewards: Floats) -> None:
        """What the inputs of a round earned [n]."""
        shares = self.shares()
        for kind in np.unique(kinds):
            better = float(rewards[kinds == kind].mean()) - self._baseline
            self.preference -= _RATE * better * shares
            self.preference[kind] += _RATE * better
        self._paid += 1
        self._baseline += (float(rewards.mean()) - self._baseline) / self._paid


def rewards(answers: Answers, before: Floats, guessed: Floats) -> Floats:
    """Certainty, diversity and error of inputs [n], each brought to 0 to 1, summed.

    ``before`` [C] is the mean of answers so far; ``guessed`` [n, C] is what the copy held likely.
    """
    told = Gathered.nothing(1, guessed.shape[1]).with_answers(np.zeros((len(answers), 1)), answers)
    scores = told.targets().get("scores", told.scores)
    ordered = np.sort(scores, axis=1)
    certainty = ordered[:, -1] - ordered[:, -2]
    diversity = np.maximum(scores - before, 0).sum(axis=1)
    error = -(scores * np.log(np.maximum(guessed, _LEAST))).sum(axis=1)
    return _unit(certainty) + _unit(diversity) + _unit(error)


def _unit(values: Floats) -> Floats:
    span = float(np.ptp(values)) if len(values) else 0.0
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def kinds(pool: Floats, low: Floats, high: Floats, rng: np.random.Generator) -> list[list[int]]:
    """Places of inputs [N, d] by cluster, each cluster's in any order."""
    scaled = pool / np.where(high > low, high - low, 1)
    found = KMeans(KINDS, n_init=1, max_iter=20, random_state=int(rng.integers(2**31)))
    clusters = found.fit(scaled[rng.permutation(len(pool))[:_CLUSTERED]]).predict(scaled)
    order = rng.permutation(len(pool))
    return [order[clusters[order] == kind].tolist() for kind in range(KINDS)]


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, target = scene.classifier(), scene.target
    low, high, pool = target.low, target.high, target.natural
    chooser = Chooser(low, high, scene.rng.spawn(1)[0])
    pupil = Pupil(low, high, scene.rng.spawn(1)[0], members=1)
    bandit = Bandit(kinds(pool, low, high, scene.rng), scene.rng)
    gathered, asked = Gathered.nothing(target.dimensions, target.classes), 0
    for budget in scene.budgets:
        if budget > len(pool):
            return
        while asked < budget:
            places, chosen = bandit.draw(min(budget - asked, max(50, asked // 3), ROUND))
            asked += len(places)
            answers = await oracle.ask(pool[places])
            if len(gathered) and answers.served.all():
                guessed = pupil.likely(pool[places])[0].astype(np.float64)
                bandit.pay(chosen, rewards(answers, gathered.scores.mean(axis=0), guessed))
            gathered = gathered.with_answers(pool[places], answers)
            if len(gathered):
                pupil.learn(gathered)
        yield Copy(budget, chooser.fit(gathered))


ATTACK: Final = Attack(
    name="knockoff-adaptive",
    paper="Orekondy et al., CVPR 2019, adaptive strategy",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-mlp",),
)
