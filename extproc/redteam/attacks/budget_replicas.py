"""Get a budget from each replica of a gateway.

Source: OWASP API Security Top 10, 2023, API4 "Unrestricted Resource Consumption": a limit that each
instance counts by itself is granted as often as there are instances.  Ways to ask two that have one
count: Warszawski and Bailis, "ACIDRain: Concurrency-Related Attacks on Database-Backed Web
Applications", SIGMOD 2017, section 2: a check and a charge that are not one step are passed by
requests at the same time.

Policy ``shared`` grants what ``metered`` does, 5,000 inputs for the life of a customer, and has its
replicas count together.  Each way is tried by a customer of his own, who asks about more than both
replicas would grant him.  Which replica answers he chooses himself: whoever has to pass a load
balancer gets no more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import cycle, islice
from typing import Final

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks.raw_batches import answered, batch, exchanged, written
from extproc.redteam.raw import Enough, exchange
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene

GRANTED: Final = 5_000
"""Inputs that a customer may ask about, as the documentation of both policies says."""
REPLICAS: Final = 2
BATCH: Final = 250
_REQUESTS: Final = REPLICAS * GRANTED // BATCH + 4
_PARALLEL: Final = 64
_FEW: Final = 8
"""Connections of those who hang up."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    served: dict[str, list[int]] = {}
    for key, (way, ask) in enumerate(_WAYS.items()):
        replies = await ask(scene, batch(scene, key, BATCH))
        served[way] = [answered(scene, reply, BATCH) for reply in replies]
    over = {way: max(0, sum(each) - GRANTED) for way, each in served.items()}
    for way, beyond in over.items():
        yield Finding(f"over.{way}", beyond)
    yield Finding("served_over_budget", sum(over.values()))
    yield Finding("budgets", max(map(sum, served.values())) / GRANTED)
    yield Finding("replicas", _answering(scene, served["in-turn"]))


def _answering(scene: Scene, served: Sequence[int]) -> int:
    """How many of those asked in turn answered anything: the budget of one that is off holds."""
    count = len(_urls(scene))
    return sum(any(served[at::count]) for at in range(count))


async def _alternately(scene: Scene, request: Request) -> list[Reply]:
    return await _in_turn(scene, request, 1)


async def _at_once(scene: Scene, request: Request) -> list[Reply]:
    return await _in_turn(scene, request, _PARALLEL)


async def _hanging_up(scene: Scene, request: Request) -> list[Reply]:
    """On each as soon as its answer can be read and before it ends."""
    return await _in_turn(
        scene, request, _FEW, lambda reply: answered(scene, reply, BATCH) == BATCH
    )


async def _switching(scene: Scene, request: Request) -> list[Reply]:
    """Stay with one until it refuses."""
    turns = cycle(_sent(scene, request))
    url, data = next(turns)
    replies = []
    for _ in range(_REQUESTS):
        reply = await exchange(url, data)
        scene.client.meter.count(request, reply)
        replies.append(reply)
        if not reply.served:
            url, data = next(turns)
    return replies


async def _in_turn(
    scene: Scene, request: Request, parallel: int, enough: Enough = lambda _: False
) -> list[Reply]:
    sent = list(islice(cycle(_sent(scene, request)), _REQUESTS))
    return await exchanged(scene, request, sent, parallel, enough)


def _sent(scene: Scene, request: Request) -> Sequence[tuple[str, bytes]]:
    """To each replica."""
    return [(url, written(scene, request, url)) for url in _urls(scene)]


def _urls(scene: Scene) -> tuple[str, ...]:
    return scene.replicas or (scene.client.url,)


_Ask = Callable[[Scene, Request], Awaitable[list[Reply]]]
_WAYS: Final[Mapping[str, _Ask]] = {
    "in-turn": _alternately,
    "at-once": _at_once,
    "on-refusal": _switching,
    "hang-up": _hanging_up,
}
_ABOUT: Final = {
    "in-turn": "by asking the replicas in turn",
    "at-once": "by asking all replicas at once on many connections",
    "on-refusal": "by asking another replica when one refuses",
    "hang-up": "by hanging up on one when its answer can be read, and asking another",
}

ATTACK: Final = Attack(
    name="budget-replicas",
    paper="OWASP API Security Top 10, 2023, API4; Warszawski and Bailis, SIGMOD 2017",
    family=Family.ABUSE,
    needs=(Needs.MANY_KEYS, Needs.TASK_DATA),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    budgets=(len(_WAYS) * _REQUESTS * BATCH,),
    measures=(
        Measure("served_over_budget", "inputs answered beyond the budget, by all ways together"),
        *(Measure(f"over.{way}", f"inputs answered beyond it {_ABOUT[way]}") for way in _WAYS),
        Measure("budgets", "how many times the budget the best way got", "times"),
        Measure("replicas", "replicas of the gateway that answered", worse="low"),
    ),
    keys=len(_WAYS),
    tenants=len(_WAYS),
    linked=False,
    replicas=REPLICAS,
    policies=("none", "metered", "shared"),
)
