"""Victims in this process, answering as an API of one policy would: for arithmetic, not for wires.

Rule: an attack sees what it sees over HTTP, an oracle with a budget; only the bytes are left out.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attack import Attack, Copy, Gain
from extproc.redteam.meter import Meter
from extproc.redteam.oracle import Budget, BudgetSpent
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import ClassifierVictim, Secret

Scores = Callable[[Floats], Floats]
Mode = Callable[[Floats], Floats | None]


def full(scores: Floats) -> Floats:
    return scores


def two_decimals(scores: Floats) -> Floats:
    rounded: Floats = scores.round(2)
    return rounded


def top_three(scores: Floats) -> Floats:
    third = np.sort(scores, axis=1)[:, -3, None]
    return two_decimals(np.where(scores >= third, scores, 0))


def top_one(scores: Floats) -> Floats:
    first = scores.max(axis=1, keepdims=True)
    return two_decimals(np.where(scores >= first, scores, 0))


def label(scores: Floats) -> None:
    return None


MODES: Final[Mapping[str, Mode]] = {
    "full": full,
    "2 decimals": two_decimals,
    "top 3, 2 decimals": top_three,
    "top 1, 2 decimals": top_one,
    "label": label,
}


@dataclass(slots=True)
class LocalClient:
    """Answers from ``scores``, as ``mode`` lets it."""

    scores: Scores
    mode: Mode = full
    refuse_after: int | None = None
    """Inputs after which it answers nothing."""
    meter: Meter = field(default_factory=Meter)
    asked: list[Floats] = field(default_factory=list)

    async def send_all(self, requests: Sequence[Request]) -> list[Reply]:
        return [self._reply(request) for request in requests]

    def answers(self, inputs: Floats) -> Answers:
        scores = self.scores(inputs)
        return Answers(scores.argmax(axis=1), self.mode(scores), np.ones(len(inputs), bool))

    def _reply(self, request: Request) -> Reply:
        spent = self.refuse_after is not None and self.meter.queries >= self.refuse_after
        reply = Reply(429 if spent else 200, (), request.body, 0.0, 0.0)
        self.meter.count(request, reply)
        return reply


@dataclass(slots=True)
class LocalAdapter:
    client: LocalClient
    dimensions: int

    def request(self, inputs: Floats, key: int) -> Request:
        body = np.ascontiguousarray(inputs, np.float64).tobytes()
        return Request("/", body, key=key, queries=len(inputs))

    def read(self, reply: Reply, count: int) -> Answers:
        if not reply.served:
            return Answers.refused(count)
        inputs = np.frombuffer(reply.body).reshape(count, self.dimensions)
        self.client.asked.append(inputs)
        return self.client.answers(inputs)


@dataclass(frozen=True, slots=True)
class Task:
    """A model's scores, and data: what `ClassifierVictim` knows, without the wire."""

    scores: Scores
    classes: int
    low: Floats
    high: Floats
    task: Floats
    natural: Floats
    test: Floats
    real: int = 200
    """As `ClassifierVictim` says."""

    def victim(self, client: LocalClient) -> ClassifierVictim:
        none = np.zeros((0, len(self.low)))
        no = np.zeros(0, np.int64)
        return ClassifierVictim(
            name="local",
            about="A model in this process.",
            adapter=LocalAdapter(client, len(self.low)),
            dimensions=len(self.low),
            classes=self.classes,
            low=self.low,
            high=self.high,
            task=self.task,
            natural=self.natural,
            secret=Secret(self.test, self.truth(), none, no, none, no),
            real=self.real,
        )

    def truth(self) -> Ints:
        """What the model says of its test inputs."""
        labels: Ints = self.scores(self.test).argmax(axis=1)
        return labels

    def agreement(self, copy: Copy) -> float:
        """With the model, on its test inputs."""
        return float(np.mean(copy.labels(self.test) == self.truth()))


def scene(task: Task, client: Any, budgets: Sequence[int], seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    budget = Budget(budgets[-1])
    return Scene(task.victim(client), client, client, budget, tuple(budgets), rng)


async def copies(
    attack: Attack,
    task: Task,
    budgets: Sequence[int],
    *,
    mode: str = "full",
    seed: int = 0,
    client: LocalClient | None = None,
) -> list[Copy]:
    """What the attack yields, of copies."""
    client = client or LocalClient(task.scores, MODES[mode])
    gains = _until_spent(attack.run(scene(task, client, budgets, seed)))
    return [gain async for gain in gains if isinstance(gain, Copy)]


async def _until_spent(gains: AsyncIterator[Gain]) -> AsyncIterator[Gain]:
    try:
        async for gain in gains:
            yield gain
    except BudgetSpent:
        return


async def agreements(
    attack: Attack, task: Task, budgets: Sequence[int], *, mode: str = "full", seed: int = 0
) -> list[float]:
    """With the model at each budget."""
    found = await copies(attack, task, budgets, mode=mode, seed=seed)
    return [task.agreement(copy) for copy in found]
