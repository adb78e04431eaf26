"""Hide an attack among honest questions, and keep under every rate.

Paper: Juuti, Szyller, Marchal, Asokan, 2019, "PRADA: Protecting Against DNN Model Stealing
Attacks", EuroS&P, section 7, on what an attacker does who knows of a detector: it mixes its
questions with others, and pays for those too.

The same questions are asked three times by three customers: all at once, every second one among
honest ones, and one request after another with a wait after every refusal.  Where a gateway has
nothing but budgets, mixing costs the attacker, who pays for the honest questions too, and waiting
gains what a rate limit refuses.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.request import Reply
from extproc.redteam.scene import Scene

ASKED: Final = 4_000
"""Inputs of the attack, in each way."""
_BATCH: Final = 50
_PATIENCE: Final = 2.0
"""Seconds that one refusal is waited for; a longer wait is given up."""
_AT_ONCE, _MIXED, _SLOW = range(3)

_Way = Callable[[Scene, Floats], Awaitable[list[int]]]


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target = scene.target
    inputs = scene.rng.uniform(target.low, target.high, (ASKED, target.dimensions))
    ways: dict[str, _Way] = {"at_once": _at_once, "mixed": _mixed, "slow": _slowly}
    for name, way in ways.items():
        answered = await way(scene, inputs)
        yield Finding(f"served.{name}", sum(answered) / ASKED)
        refused = next((at for at, count in enumerate(answered) if not count), None)
        if refused is not None:
            yield Finding(f"before_refusal.{name}", sum(answered[:refused]))


async def _at_once(scene: Scene, inputs: Floats) -> list[int]:
    """How many inputs each request was answered."""
    requests = [scene.target.adapter.request(part, _AT_ONCE) for part in _parts(inputs)]
    return [_answered(scene, reply) for reply in await scene.client.send_all(requests)]


async def _mixed(scene: Scene, inputs: Floats) -> list[int]:
    """One honest request before each, under the same key."""
    target, answered = scene.target, []
    for part in _parts(inputs):
        honest = target.task[scene.rng.integers(len(target.task), size=_BATCH)]
        await scene.client.send(target.adapter.request(honest, _MIXED))
        reply = await scene.client.send(target.adapter.request(part, _MIXED))
        answered.append(_answered(scene, reply))
    return answered


async def _slowly(scene: Scene, inputs: Floats) -> list[int]:
    """One after another; after a refusal once more, when it says so, if that is soon."""
    answered = []
    for part in _parts(inputs):
        request = scene.target.adapter.request(part, _SLOW)
        reply = await scene.client.send(request)
        wait = _wait(reply)
        if wait is not None:
            await asyncio.sleep(wait)
            reply = await scene.client.send(request)
        answered.append(_answered(scene, reply))
    return answered


def _wait(reply: Reply) -> float | None:
    """Seconds until a refused request may pass; None where it passed, or would not soon."""
    said = reply.header("retry-after")
    if reply.served or said is None or not said.isdigit() or int(said) > _PATIENCE:
        return None
    return float(said)


def _answered(scene: Scene, reply: Reply) -> int:
    return int(scene.target.adapter.read(reply, _BATCH).served.sum())


def _parts(inputs: Floats) -> list[Floats]:
    return np.split(inputs, len(inputs) // _BATCH)


_WAYS: Final = {
    "at_once": "where they are asked at once",
    "mixed": "where every second question is an honest one",
    "slow": "where they are asked one after another, with a wait after a refusal",
}

ATTACK: Final = Attack(
    name="slow-mixed",
    paper="Juuti et al., EuroS&P 2019",
    family=Family.ABUSE,
    needs=(Needs.TASK_DATA, Needs.MANY_KEYS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    budgets=(ASKED,),
    measures=(
        *(
            Measure(f"served.{w}", f"share of 4,000 inputs answered {how}")
            for w, how in _WAYS.items()
        ),
        *(
            Measure(f"before_refusal.{w}", f"inputs answered before the first refusal {how}")
            for w, how in _WAYS.items()
        ),
    ),
    keys=3,
    tenants=3,
    linked=False,
    policies=("none", "metered"),
)
