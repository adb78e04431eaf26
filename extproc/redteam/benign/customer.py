"""A customer and what it meets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.form import LEAST, Form, of_answers
from extproc.redteam.request import Reply, Request
from extproc.redteam.victims.victim import ClassifierVictim


@dataclass(slots=True)
class Met:
    """Counts of requests; ``seconds`` are those of the served ones."""

    asked: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)

    @property
    def refused_share(self) -> float:
        return self.refused / max(self.asked, 1)

    @property
    def lowered_share(self) -> float:
        """Of the inputs of large enough requests: how many were answered in less than the fullest
        form that there was.
        """
        told = [form for form in self.forms if form.count >= LEAST]
        lower = [form for form in told if any(form.below(other) for other in told)]
        return sum(form.count for form in lower) / max(sum(form.count for form in told), 1)


@dataclass(slots=True)
class Customer:
    """One tenant's client: ``key`` is the place of its key among the client's."""

    client: Client
    key: int
    victim: ClassifierVictim
    rng: np.random.Generator
    met: Met = field(default_factory=Met)

    async def ask(self, inputs: Floats) -> None:
        """Ask about inputs [N, d] in one request, and note what came of it."""
        reply = await self.send(self.victim.adapter.request(inputs, self.key))
        answers = self.victim.adapter.read(reply, len(inputs))
        if answers.served.any():
            self.met.forms.append(of_answers(answers))

    async def send(self, request: Request) -> Reply:
        """Ask once, and note whether it was served."""
        reply = await self.client.send(request)
        self.note(reply)
        return reply

    def note(self, reply: Reply) -> None:
        self.met.asked += 1
        if reply.served:
            self.met.seconds.append(reply.ended)
        else:
            self.met.refused += 1


Habit = Callable[[Customer], Awaitable[None]]
"""What a kind of customer does, from its first request to its last."""
