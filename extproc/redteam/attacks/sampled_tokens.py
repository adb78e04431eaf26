"""Asking a language model for the next token, many times over.

Rule: a way in is used with as many draws for a request as it was seen to give.  What a seed draws
is the same each time, so that seeds are chosen by what they drew elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

from extproc.redteam.answers import Bools, Floats, Ints
from extproc.redteam.attacks.chat_aliases import ALIASES, Alias, drawn, texts
from extproc.redteam.attacks.softmax_bottleneck import TOLD
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Reply
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import LanguageVictim

CHOICES: Final = 8
"""Draws that are asked for at once."""
_SEEDS: Final = 1 << 31
Fields = Mapping[str, Any]
TELLING: Final[Fields] = {"logprobs": True, "top_logprobs": TOLD}
"""Asks for log probabilities."""
Told = dict[bytes, float]
"""Log probabilities of one context, by how tokens are spelled."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in; ``choices`` are asked for, ``draws`` come.  ``budget`` is in requests."""

    client: Client
    victim: LanguageVictim
    budget: Budget
    rng: np.random.Generator
    alias: Alias
    choices: int
    draws: int

    async def ask(self, prompts: Sequence[str], fields: Sequence[Fields] = ()) -> list[Reply]:
        """One answer for each prompt, with these fields; raise BudgetSpent before asking."""
        self.budget.take(len(prompts))
        more = fields or [{}] * len(prompts)
        asked = [
            {**_asking(self.victim, prompt, self.choices, self.rng), **each}
            for prompt, each in zip(prompts, more, strict=True)
        ]
        return await self.client.send_all([self.alias.request(each) for each in asked])


async def open_ways(scene: Scene, prompt: str) -> tuple[list[Way], list[Way]]:
    """Ways in that tell log probabilities of what is drawn, and ways that say it at all; of each
    kind those with the most draws for a request first.
    """
    telling = await _open(scene, prompt, TELLING, lambda reply: len(drawn(reply)))
    saying = await _open(scene, prompt, {}, lambda reply: len(texts(reply)))
    return telling, saying


async def _open(
    scene: Scene, prompt: str, fields: Fields, count: Callable[[Reply], int]
) -> list[Way]:
    tried = [(alias, choices) for alias in ALIASES for choices in (CHOICES, 1)]
    scene.budget.take(len(tried))
    requests = [
        alias.request({**_asking(scene.language, prompt, choices, scene.rng), **fields})
        for alias, choices in tried
    ]
    found: dict[str, Way] = {}
    for (alias, choices), reply in zip(tried, await scene.client.send_all(requests), strict=True):
        draws = count(reply)
        if draws > (found[alias.name].draws if alias.name in found else 0):
            found[alias.name] = Way(
                scene.client, scene.language, scene.budget, scene.rng, alias, choices, draws
            )
    return sorted(found.values(), key=lambda way: -way.draws)


def _asking(
    victim: LanguageVictim, prompt: str, choices: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Drawn by a seed, so that the same attack sees the same draws."""
    return {
        **victim.parameters,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": 1,
        "n": choices,
        "seed": int(rng.integers(_SEEDS)),
    }


def told(reply: Reply) -> Told:
    """Of the tokens that were drawn, and of those that were likeliest."""
    return {
        bytes(each["bytes"]): float(each["logprob"])
        for entry in drawn(reply)
        for each in (*(entry.get("top_logprobs") or ()), entry)
    }


@dataclass(slots=True)
class Table:
    """What is known of contexts: log probabilities [C, V], NaN where nothing is told."""

    values: Floats
    places: dict[bytes, int] = field(default_factory=dict)
    """Columns of spellings, in the order in which they were seen."""

    def add(self, at: int, row: Told) -> list[int]:
        """Note what is told of a context; the columns that were."""
        columns = [self.places.setdefault(name, len(self.places)) for name in row]
        self.values[at, columns] = list(row.values())
        return columns

    def names(self, columns: Iterable[int]) -> list[bytes]:
        names = list(self.places)
        return [names[column] for column in columns]


@dataclass(slots=True)
class Seeds:
    """Which tokens each seed drew, in any context, and in which contexts it was tried.

    A seed draws the same token where probabilities are much the same, whether a sampler inverts
    their sums or adds noise to each: what it drew in one context is likely drawn in one like it.
    """

    rng: np.random.Generator
    drew: Ints
    """[seeds, V], in how many contexts."""
    tried: Bools
    """[C, seeds]"""
    known: list[tuple[int, float]] = field(default_factory=list)
    """Seeds, and the nucleus that they are used with."""

    @classmethod
    def none(cls, rng: np.random.Generator, most: int, contexts: int, vocabulary: int) -> Self:
        drew, tried = np.zeros((most, vocabulary), np.int64), np.zeros((contexts, most), np.bool_)
        return cls(rng, drew, tried)

    def choose(self, at: int, lacking: Ints, nucleus: float) -> int:
        """The place of the seed that likely draws most of what a context lacks; of a new one where
        none ever did.
        """
        size = len(self.known)
        times = np.maximum(self.tried[:, :size].sum(axis=0), 1)
        likely = self.drew[:size][:, lacking].sum(axis=1) / times * ~self.tried[at, :size]
        place = int(likely.argmax()) if likely.any() else size
        if place == size:
            self.known.append((int(self.rng.integers(_SEEDS)), nucleus))
        self.tried[at, place] = True
        return place
