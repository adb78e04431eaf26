"""Distil without any data: from inputs that are made up where the copies so far differ.

Papers: Truong, Maini, Walls and Papernot, 2021, "Data-Free Model Extraction", CVPR, and Kariyappa,
Prakash and Qureshi, 2021, "MAZE: Data-Free Model Stealing Attack Using Zeroth-Order Gradient
Estimation", CVPR: ask where copy and victim disagree most.  They train a generator of such inputs
through estimated slopes of the victim, at millions of queries.  This is no generator: inputs are
moved themselves, along the slopes of a committee, to where its members disagree (Seung, Opper and
Sompolinsky, 1992, "Query by Committee") or where two labels meet; they begin as noise of several
kinds and as crossings of what was asked before.  It costs no query to steer, and finds what the
committee knows to be open, not what all its members are alike wrong about.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import BUDGETS, Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Singles
from extproc.redteam.surrogates.pupil import Pupil

MEMBERS: Final = 3
OPENING: Final = 100
"""Inputs that are noise; a committee that has seen fewer steers worse than chance does."""
STEPS: Final = 8
"""Moves of each input."""
GROWTH: Final = 0.5
"""Inputs of a round, in parts of what was asked before."""
_STEP: Final = 0.08
"""Of each input's range."""


def noise(count: int, low: Floats, high: Floats, rng: np.random.Generator) -> Floats:
    """Inputs [count, d] within bounds: uniform ones, a third; then such that many features are as
    low as can be, and such that all are at one bound or the other.
    """
    drawn = rng.uniform(low, high, (count, len(low)))
    lit = rng.random((count, len(low))) < rng.uniform(0.1, 0.9, (count, 1))
    kind = np.arange(count)[:, None] % 3
    sparse = np.where(lit, drawn, low)
    corners = np.where(lit, high, low)
    inputs: Floats = np.where(kind == 0, drawn, np.where(kind == 1, sparse, corners))
    return inputs


def crossed(asked: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Mixtures of two inputs that were asked about, and such that have each feature from one."""
    one, other = asked[rng.integers(len(asked), size=(2, count))]
    share = rng.random((count, 1))
    either = rng.random(one.shape) < share
    mixed: Floats = np.where(
        np.arange(count)[:, None] % 2 == 0,
        share * one + (1 - share) * other,
        np.where(either, one, other),
    )
    return mixed


def disagreement_slope(likely: Singles) -> Singles:
    """In the logits [M, n, C], of how far members are from their mean, in nats."""
    mean = likely.mean(axis=0)
    apart = np.log(np.maximum(likely, 1e-9)) - np.log(np.maximum(mean, 1e-9))
    own = (likely * apart).sum(axis=-1, keepdims=True)
    slope: Singles = likely * (apart - own)
    return slope


def meeting_slope(logits: Singles, pairs: Singles) -> Singles:
    """In the logits [M, n, C], of the lower of the two labels that ``pairs`` [n, C] marks, against
    the highest of the others: what makes both likely, and neither alone.
    """
    marked = np.broadcast_to(pairs > 0, logits.shape)
    lower = np.where(marked, logits, np.inf).argmin(axis=-1)
    highest = np.where(marked, -np.inf, logits).argmax(axis=-1)
    eye = np.eye(logits.shape[-1], dtype=np.float32)
    slope: Singles = eye[lower] - eye[highest]
    return slope


def moved(
    pupil: Pupil, inputs: Floats, classes: int, rng: np.random.Generator, step: float = _STEP
) -> Floats:
    """A half to where members disagree, a half to where two labels meet; all within bounds."""
    seeking = np.arange(len(inputs)) % 2 == 0
    pairs = np.zeros((len(inputs), classes), np.float32)
    for _ in range(min(2, classes - 1)):
        pairs[np.arange(len(inputs)), rng.integers(classes, size=len(inputs))] = 1
    reach = step * (pupil.high - pupil.low)
    for at in range(STEPS):
        logits = pupil.logits(inputs)
        apart = disagreement_slope(pupil.likely(inputs))
        meet = meeting_slope(logits, pairs)
        slope = pupil.slope(inputs, np.where(seeking[:, None], apart, meet))
        inputs = inputs + (1 - at / STEPS) * reach * np.sign(slope)
        inputs = np.clip(inputs, pupil.low, pupil.high)
    return inputs


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, target = scene.classifier(), scene.target
    low, high = target.low, target.high
    chooser = Chooser(low, high, scene.rng.spawn(1)[0])
    pupil = Pupil(low, high, scene.rng.spawn(1)[0], MEMBERS)
    gathered, asked = Gathered.nothing(target.dimensions, target.classes), 0
    for budget in scene.budgets:
        while asked < budget:
            opening = OPENING - asked if asked < OPENING else int(GROWTH * asked)
            count = min(budget - asked, max(50, opening))
            fresh = noise(count, low, high, scene.rng)
            if asked >= OPENING and len(gathered):
                pupil.learn(gathered)
                half = count // 2
                fresh[:half] = crossed(gathered.inputs, half, scene.rng)
                seek = scene.rng.permutation(count)[: 2 * count // 3]
                fresh[seek] = moved(pupil, fresh[seek], target.classes, scene.rng)
            gathered = gathered.with_answers(fresh, await oracle.ask(fresh))
            asked += count
        yield Copy(budget, chooser.fit(gathered))


ATTACK: Final = Attack(
    name="data-free",
    paper="after Truong et al. and Kariyappa et al., CVPR 2021, without a generator",
    family=Family.COPY,
    needs=(Needs.LABELS,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    budgets=(*BUDGETS, 10_000, 30_000),
)
