"""What drawing natural inputs gives: the mean agreement that other ways to choose are held to."""

import numpy as np

from extproc.redteam.attack import Attack
from extproc.redteam.attacks import knockoff_random
from tests.redteam.digits_tasks import task
from tests.redteam.local import agreements

SEEDS = 2


async def no_worse_than_drawing(attack: Attack) -> bool:
    """After 1,000 labels of photographs by the perceptron, but for two standard errors and .01."""
    (mine, spread), (drawn, other) = await _mean(attack), await _mean(knockoff_random.ATTACK)
    return mine >= drawn - 2 * float(np.sqrt(spread + other)) - 0.01


_KNOWN: dict[str, tuple[float, float]] = {}


async def _mean(attack: Attack) -> tuple[float, float]:
    """The mean, and its variance."""
    if attack.name not in _KNOWN:
        plain = task("perceptron", 4_000)
        each = [
            (await agreements(attack, plain, (300, 1_000), mode="label", seed=seed))[-1]
            for seed in range(SEEDS)
        ]
        _KNOWN[attack.name] = float(np.mean(each)), float(np.var(each, ddof=1) / SEEDS)
    return _KNOWN[attack.name]
