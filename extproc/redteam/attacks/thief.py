"""A thief that asks until it is noticed, one input after another, so that it is seen at which."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Finding, Measure

ASKED: Final = 200
"""Inputs that each thief wants answered."""
KEYS: Final = 10
"""Of the thief that has many."""
GIVEN_UP: Final = 10
"""Refusals of each key, one after another, after which a thief asks no more."""
MEASURES: Final = (
    Measure("before_lowered", "inputs answered in full before the first that was not"),
    Measure("before_refused", "inputs answered before the first that was refused"),
    Measure("in_full", f"inputs of {ASKED} that were answered in full"),
    Measure("customers", "customers beside the thieves", worse="low"),
    Measure("false_alarms", "customers that were refused anything, or answered with less"),
)


class GivenUp(Exception):  # noqa: N818 -- how a thief ends, no error
    """It is refused again and again."""


@dataclass(slots=True)
class Thief:
    """One of them, and how it was treated; keys take turns."""

    keys: range
    rng: np.random.Generator
    at_once: int = 1
    """Inputs of one request."""
    asked: int = 0
    served: int = 0
    in_full: int = 0
    lowered_after: int | None = None
    """Inputs answered in full before the first that was not."""
    refused_after: int | None = None
    """Inputs answered before the first that was refused."""
    requests: int = 0
    in_vain: int = 0
    """Requests refused, one after another."""

    @abstractmethod
    async def answered(self, some: Any, key: int) -> tuple[bool, bool]:
        """Ask about inputs in one request; whether it was answered, and whether in full."""

    async def ask(self, inputs: Sequence[Any] | Floats) -> None:
        """About one after another, up to `ASKED` in all.  Raise GivenUp."""
        wanted = inputs[: ASKED - self.asked]
        for at in range(0, len(wanted), self.at_once):
            some = wanted[at : at + self.at_once]
            served, full = await self.answered(some, self.keys[self.requests % len(self.keys)])
            self._note(len(some), served=served, full=full)

    def _note(self, count: int, *, served: bool, full: bool) -> None:
        if not full and self.lowered_after is None:
            self.lowered_after = self.in_full
        if not served and self.refused_after is None:
            self.refused_after = self.served
        self.asked += count
        self.requests += 1
        self.served += count * served
        self.in_full += count * full
        self.in_vain = 0 if served else self.in_vain + 1
        if self.in_vain >= GIVEN_UP * len(self.keys):
            raise GivenUp

    def findings(self, name: str) -> Iterator[Finding]:
        yield Finding("in_full", self.in_full, strategy=name)
        if self.lowered_after is not None:
            yield Finding("before_lowered", self.lowered_after, strategy=name)
        if self.refused_after is not None:
            yield Finding("before_refused", self.refused_after, strategy=name)


async def beside(
    thieves: Iterable[Callable[[], Awaitable[None]]], customers: Iterable[Awaitable[bool]]
) -> list[bool]:
    """One thief after another, and all customers meanwhile: of which of these is taken for one."""
    asking = asyncio.gather(*customers)
    try:
        for steal in thieves:
            with suppress(GivenUp):
                await steal()
        return await asking
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def alarms(kinds: Sequence[str], taken: Sequence[bool]) -> Iterator[Finding]:
    """Of customers of these kinds: how many there were, and how many and which were taken."""
    which = [kind for kind, each in zip(kinds, taken, strict=True) if each]
    yield Finding("customers", len(kinds))
    yield Finding("false_alarms", len(which), note=", ".join(which))
