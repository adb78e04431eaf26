"""Tell by the time of an answer what it was about.

Papers: Gu et al., 2025, "Auditing Prompt Caching in Language Model APIs" (two samples of 250, told
apart by the test of Kolmogorov and Smirnov); Carlini and Nasr, 2024, "Remote Timing Attacks on
Efficient Language Model Inference"; Crosby, Wallach, Riedi, 2009, "Opportunities and Limits of
Remote Timing Attacks", on how averages find what single answers hide.

Both sides of a pair go out in an order that is drawn, over the same connections, so that whatever
else the machine does happens to both.  Where answers wait on a grid, more connections cost the
attacker no precision, and it uses more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Needs
from extproc.redteam.attacks.pairs import (
    CLASSIFIER,
    LANGUAGE,
    Pair,
    measures,
    of_classifier,
    of_language,
)
from extproc.redteam.measures.distinguish import (
    information,
    kolmogorov,
    told_apart,
    told_apart_by_means,
)
from extproc.redteam.scene import Scene

SAMPLES: Final = 250
"""Of each side."""
_FEW: Final = 2
_MANY: Final = 8
"""Connections."""
_SLOW: Final = 0.03
"""Seconds of a usual answer, above which it is held to wait for something."""
_FIRST: Final = 10
"""Answers that show how long one usually takes; they warm up what is cold, too."""


async def _of_classifier(scene: Scene) -> AsyncIterator[Gain]:
    for pair in await of_classifier(scene):
        for finding in _findings(pair.name, *await _sampled(scene, pair), scene.rng):
            yield finding


async def _of_language(scene: Scene) -> AsyncIterator[Gain]:
    for pair in of_language(scene):
        for finding in _findings(pair.name, *await _sampled(scene, pair), scene.rng):
            yield finding


async def _sampled(scene: Scene, pair: Pair) -> tuple[Floats, Floats]:
    """Seconds of each answer, in the order of the requests of each side."""
    usual = [(await scene.client.send(pair.one(scene.rng))).ended for _ in range(_FIRST)]
    workers = _MANY if np.median(usual) > _SLOW else _FEW
    sides = scene.rng.permutation(np.repeat([0, 1], SAMPLES))
    requests = [(pair.one, pair.other)[side](scene.rng) for side in sides]
    seconds = np.zeros(len(sides))
    places = iter(range(len(sides)))

    async def work(offset: float) -> None:
        await asyncio.sleep(offset)
        for place in places:
            seconds[place] = (await scene.client.send(requests[place])).ended

    wait = float(np.median(usual)) / workers
    await asyncio.gather(*(work(number * wait) for number in range(workers)))
    return seconds[sides == 0], seconds[sides == 1]


def _findings(pair: str, one: Floats, other: Floats, rng: np.random.Generator) -> Iterator[Finding]:
    distance, chance = kolmogorov(one, other)
    apart = f"medians {np.median(one) * 1000:.2f} and {np.median(other) * 1000:.2f} ms"
    yield Finding(f"ks.{pair}", distance, note=f"{apart}; chance of as much by luck {chance:.2g}")
    yield Finding(f"auc.{pair}", told_apart(one, other))
    yield Finding(f"auc50.{pair}", told_apart_by_means(one, other, rng))
    bits, chance = information(one, other, rng)
    yield Finding(f"bits.{pair}", bits, note=f"chance of as much by luck {chance:.2g}")


_TELLS: Final = {
    "ks": "largest distance of the distributions of times that tell",
    "auc": "how well one answer's time tells",
    "auc50": "how well the mean time of 50 answers tells",
    "bits": "what one answer's time tells of",
}

TIMING: Final = Attack(
    name="timing",
    paper="Gu et al., ICML 2025; Carlini and Nasr 2024",
    family=Family.CHANNEL,
    needs=(Needs.CLOCK,),
    kind=Kind.CLASSIFIER,
    run=_of_classifier,
    victims=("digits",),
    budgets=(10_000,),
    policies=("sealed",),
    measures=measures(CLASSIFIER, _TELLS, timed=True),
    alone=True,
)
TIMING_LANGUAGE: Final = replace(
    TIMING,
    name="timing-language",
    kind=Kind.LANGUAGE,
    run=_of_language,
    victims=("tiny-lm",),
    measures=measures(LANGUAGE, _TELLS, timed=True),
)
