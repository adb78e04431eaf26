"""Tell by the length of an answer what it was about.

Papers: Weiss, Ayub, Mirsky, 2024, "What Was Your Prompt? A Remote Keylogging Attack on AI
Assistants", USENIX Security; Microsoft, 2025, "Whisper Leak".  An onlooker sees how many bytes
pass, whatever the encryption: those of the body, and those of the header fields with them.
"""

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
from extproc.redteam.measures.distinguish import information, told_apart, told_apart_by_means
from extproc.redteam.request import Reply
from extproc.redteam.scene import Scene

SAMPLES: Final = 60
"""Of each side."""


async def _of_classifier(scene: Scene) -> AsyncIterator[Gain]:
    for pair in await of_classifier(scene):
        for finding in await _tried(scene, pair):
            yield finding


async def _of_language(scene: Scene) -> AsyncIterator[Gain]:
    for pair in of_language(scene):
        if pair.name == "cache":  # what is answered, and not the cache, makes these differ
            continue
        for finding in await _tried(scene, pair):
            yield finding


async def _tried(scene: Scene, pair: Pair) -> list[Finding]:
    sides = scene.rng.permutation(np.repeat([0, 1], SAMPLES))
    requests = [(pair.one, pair.other)[side](scene.rng) for side in sides]
    replies = await scene.client.send_all(requests)
    bodies = np.array([len(reply.body) for reply in replies], np.float64)
    whole = np.array([_whole(reply) for reply in replies], np.float64)
    return [
        *_findings(pair.name, bodies[sides == 0], bodies[sides == 1], scene.rng),
        Finding(f"auc.whole.{pair.name}", told_apart(whole[sides == 0], whole[sides == 1])),
    ]


def _findings(pair: str, one: Floats, other: Floats, rng: np.random.Generator) -> Iterator[Finding]:
    note = f"medians {np.median(one):.0f} and {np.median(other):.0f} bytes"
    yield Finding(f"auc.{pair}", told_apart(one, other), note=note)
    yield Finding(f"auc50.{pair}", told_apart_by_means(one, other, rng))
    bits, chance = information(one, other, rng)
    yield Finding(f"bits.{pair}", bits, note=f"chance of as much by luck {chance:.2g}")


def _whole(reply: Reply) -> int:
    """Bytes of the answer with its header fields, as HTTP/1.1 writes them."""
    return len(reply.body) + sum(len(name) + len(value) + 4 for name, value in reply.headers)


_TELLS: Final = {
    "auc": "how well one body's length tells",
    "auc.whole": "how well one answer's length, header fields and all, tells",
    "auc50": "how well the mean length of 50 bodies tells",
    "bits": "what one body's length tells of",
}

LENGTH: Final = Attack(
    name="length",
    paper="Weiss et al., USENIX Security 2024; Whisper Leak, 2025",
    family=Family.CHANNEL,
    needs=(Needs.NOTHING,),
    kind=Kind.CLASSIFIER,
    run=_of_classifier,
    victims=("digits",),
    budgets=(1_000,),
    policies=("standard", "sealed"),
    measures=measures(CLASSIFIER, _TELLS),
)
LENGTH_LANGUAGE: Final = replace(
    LENGTH,
    name="length-language",
    kind=Kind.LANGUAGE,
    run=_of_language,
    victims=("tiny-lm",),
    measures=measures({"output": LANGUAGE["output"]}, _TELLS),
)
