"""A victim that answers until the budget is spent.

Rule: an input that was asked about counts against the budget whether it is answered or not, so that
an attack which is refused comes to its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from extproc.redteam.adapters.adapter import ClassifierAdapter, EmbeddingAdapter, Narrow
from extproc.redteam.answers import Answers, Floats, Vectors
from extproc.redteam.client import Client
from extproc.redteam.form import of_answers, of_vectors

Asked = TypeVar("Asked", Floats, Sequence[str])

BATCH: Final = 100
"""Inputs of one request, where an attack does not say."""


class BudgetSpent(Exception):  # noqa: N818 -- how an attack ends, no error
    """The attack wants to ask about more inputs than its budget has left."""


@dataclass(slots=True)
class Budget:
    """How many inputs may still be asked about."""

    left: int

    def take(self, count: int) -> None:
        """Raise BudgetSpent where fewer are left, and take none."""
        if count > self.left:
            raise BudgetSpent
        self.left -= count


def _parts(inputs: Asked, adapter: object, batch: int) -> list[Asked]:
    """Requests are no larger than the API takes."""
    most = min(batch, adapter.most) if isinstance(adapter, Narrow) else batch
    return [inputs[at : at + most] for at in range(0, len(inputs), most)]


@dataclass(slots=True)
class Classifier:
    """Asks a classifier; `client.meter` says what it cost."""

    client: Client
    adapter: ClassifierAdapter
    classes: int
    budget: Budget

    async def ask(self, inputs: Floats, *, key: int = 0, batch: int = BATCH) -> Answers:
        """What it says of inputs [N, d]; raise BudgetSpent before asking where N are not left."""
        self.budget.take(len(inputs))
        parts = _parts(inputs, self.adapter, batch)
        replies = await self.client.send_all([self.adapter.request(each, key) for each in parts])
        answered = [
            self.adapter.read(reply, len(part)) for reply, part in zip(replies, parts, strict=True)
        ]
        self.client.meter.forms += [of_answers(part) for part in answered if part.served.any()]
        return Answers.joined(answered, self.classes)


@dataclass(slots=True)
class Embedder:
    """Asks an embedding model."""

    client: Client
    adapter: EmbeddingAdapter
    budget: Budget

    async def ask(self, texts: Sequence[str], *, key: int = 0, batch: int = BATCH) -> Vectors:
        """What it says of N texts; raise BudgetSpent before asking where N are not left.

        Where answers differ in their dimensions, as after a change of fidelity, what lacks is NaN.
        """
        self.budget.take(len(texts))
        parts = _parts(texts, self.adapter, batch)
        replies = await self.client.send_all([self.adapter.request(each, key) for each in parts])
        answered = [
            self.adapter.read(reply, len(part)) for reply, part in zip(replies, parts, strict=True)
        ]
        self.client.meter.forms += [of_vectors(part) for part in answered if part.served.any()]
        widest = max((part.values.shape[1] for part in answered if part.served.any()), default=1)
        values = np.full((len(texts), widest), np.nan)
        at = 0
        for part in answered:
            width = min(widest, part.values.shape[1])
            values[at : at + len(part), :width] = part.values[:, :width]
            at += len(part)
        return Vectors(values, np.concatenate([part.served for part in answered]))
