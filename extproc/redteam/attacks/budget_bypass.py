"""Get more answers than a budget grants.

Sources: OWASP API Security Top 10, 2023, API4 "Unrestricted Resource Consumption" and API6
"Unrestricted Access to Sensitive Business Flows", on batches, parallel requests and retries.

The budget of policy ``metered`` is no secret: 5,000 inputs for the life of a customer.  Five
customers try to pass it: one asks one after another and then tries every trick, one asks by tricks
from the beginning, so that one which counts for less than it holds shows, one asks with many
connections at once, one hangs up as soon as it can read an answer, one asks in few large batches.
What a customer of several gateways gets, budget_replicas.py measures.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import cycle
from typing import Final

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks import raw_batches
from extproc.redteam.attacks.raw_batches import BATCH, answered, batch, written
from extproc.redteam.attacks.tricks import Plain, Trick, tricks
from extproc.redteam.raw import Enough
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene

GRANTED: Final = 5_000
"""Inputs that a customer of ``metered`` may ask about, as its documentation says."""
LARGE: Final = 1_000
RETRIES: Final = 20
_MORE: Final = 20
"""Batches beyond the budget."""
_PARALLEL: Final = 64
_RAW: Final = 8
"""Tricks under way at once."""
_PLAIN, _AT_ONCE, _CUT, _LARGE, _TRICKED = range(5)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    found: Counter[str] = Counter()
    notes: list[str] = []
    found["plain"] = max(0, await _plainly(scene) - GRANTED)
    for trick, got in await _tricked(scene, _PLAIN):
        found[trick.group] += got
        notes += [trick.name] if got else []
    found["trick"] = max(0, await _by_tricks(scene) - GRANTED)
    found["retry"] = await _retried(scene)
    found["parallel"] = max(0, await _at_once(scene) - GRANTED)
    found["hang-up"] = max(0, await _cut(scene) - GRANTED)
    found["batch"] = max(0, await _in_large_batches(scene) - GRANTED)
    for way in _WAYS:
        yield Finding(f"over.{way}", found[way])
    yield Finding("served_over_budget", sum(found.values()), note=", ".join(notes))


async def _plainly(scene: Scene) -> int:
    requests = [batch(scene, _PLAIN)] * (GRANTED // BATCH + _MORE)
    return sum(answered(scene, each) for each in await scene.client.send_all(requests))


async def _tricked(scene: Scene, key: int, without: str = "") -> list[tuple[Trick, int]]:
    """Every trick once but for one, with what it was answered."""
    request = batch(scene, key)
    found = tricks(Plain(request, raw_batches.host(scene.client.url), raw_batches.key(scene, key)))
    every = [trick for trick in found if trick.name != without]
    replies = await _raw(scene, request, [trick.data for trick in every], _RAW)
    return [(trick, answered(scene, reply)) for trick, reply in zip(every, replies, strict=True)]


async def _by_tricks(scene: Scene) -> int:
    """Those that work, in turn, until more is answered than was granted or all are refused.

    Not the one that asks twice and reads one answer: what it wastes would hide what others gain.
    """
    first = await _tricked(scene, _TRICKED, without="pipelined")
    working = [trick.data for trick, got in first if got]
    total = sum(got for _, got in first)
    wanted = GRANTED + _MORE * BATCH - total
    sent = [data for data, _ in zip(cycle(working), range(0, wanted, BATCH), strict=False)]
    replies = await _raw(scene, batch(scene, _TRICKED), sent, _RAW)
    return total + sum(answered(scene, reply) for reply in replies)


async def _retried(scene: Scene) -> int:
    """The same again, after as long as the refusal says where that is a second, else at once."""
    served, request = 0, batch(scene, _PLAIN)
    for _ in range(RETRIES):
        reply = await scene.client.send(request)
        served += answered(scene, reply)
        if reply.header("retry-after") == "1":
            await asyncio.sleep(1)
    return served


async def _at_once(scene: Scene) -> int:
    request = batch(scene, _AT_ONCE)
    sent = [written(scene, request, scene.client.url)] * (GRANTED // BATCH + _MORE)
    replies = await _raw(scene, request, sent, _PARALLEL)
    return sum(answered(scene, reply) for reply in replies)


async def _cut(scene: Scene) -> int:
    """Hang up when the answer can be read, and before it ends."""
    request = batch(scene, _CUT)
    sent = [written(scene, request, scene.client.url)] * (GRANTED // BATCH + _MORE)
    replies = await _raw(scene, request, sent, _RAW, lambda reply: answered(scene, reply) == BATCH)
    return sum(answered(scene, reply) for reply in replies)


async def _in_large_batches(scene: Scene) -> int:
    requests = [batch(scene, _LARGE, LARGE)] * (GRANTED // LARGE + 2)
    replies = await scene.client.send_all(requests)
    return sum(answered(scene, reply, LARGE) for reply in replies)


async def _raw(
    scene: Scene,
    request: Request,
    sent: Sequence[bytes],
    parallel: int,
    enough: Enough = lambda _: False,
) -> list[Reply]:
    places = [(scene.client.url, data) for data in sent]
    return await raw_batches.exchanged(scene, request, places, parallel, enough)


_WAYS: Final = {
    "plain": "by asking on as before",
    "alias": "by other ways to write the path",
    "method": "by other methods",
    "protocol": "by other ways to frame the request",
    "header": "by header fields",
    "body": "by other ways to write the body",
    "trick": "by such ways while the budget lasts",
    "retry": "by asking again after a refusal",
    "parallel": "by asking on many connections at once",
    "hang-up": "by hanging up when the answer can be read",
    "batch": "by asking in large batches",
}

ATTACK: Final = Attack(
    name="budget-bypass",
    paper="OWASP API Security Top 10, 2023, API4 and API6",
    family=Family.ABUSE,
    needs=(Needs.MANY_KEYS, Needs.TASK_DATA),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    budgets=(GRANTED,),
    measures=(
        Measure("served_over_budget", "inputs answered beyond the budget, by all ways together"),
        *(Measure(f"over.{way}", f"inputs answered beyond it {how}") for way, how in _WAYS.items()),
    ),
    keys=5,
    tenants=5,
    linked=False,
    policies=("none", "metered"),
)
