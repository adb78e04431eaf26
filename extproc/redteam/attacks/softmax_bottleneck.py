"""Recover a language model's hidden size, and the space of its logits, from log probabilities.

Paper: Carlini et al., 2024, "Stealing Part of a Production Language Model", ICML, sections 4 and 5:
a bias lifts any K tokens into the K that are told, so that N |V| / (K - 1) answers give N contexts'
logits; Finlayson et al., 2024, "Logits of API-Protected LLMs Leak Proprietary Information", COLM.

One token is lifted above the others: it is what the model then says, so that one answer of a few
tokens tells of a few contexts, which are the same for every part of the vocabulary.  It is also
what the others are measured from.  Without log probabilities under a bias there are at most K for
each context, from which no dimension beyond K follows: then the attack has nothing.  Every way in
(chat_aliases.py) is tried first.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks.chat_aliases import ALIASES, Alias, Entry, entries
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import output_space
from extproc.redteam.surrogates.output_space import NONE, Space
from extproc.redteam.victims.victim import LanguageVictim

TOLD: Final = 20
"""Tokens of which the API tells log probabilities at most."""
SAID: Final = 4
"""Tokens of one answer, thus contexts it tells of."""
PROMPTS: Final = 20
"""Contexts are asked for by so many at once, until their number is well above the hidden size."""
HELD_OUT: Final = 4
"""Prompts that the verdict is on."""
_DIGITS: Final = 9
"""Decimals to which logits of one context are the same."""
_LIFTED: Final = 60.0
_SPOKEN: Final = 100.0
"""The API's greatest bias; the distance is more than what logits differ by."""
_SURE: Final = 1.125
"""A space is believed where there are so many contexts for each dimension."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks for logits of contexts by one of the ways in; ``budget`` is in requests."""

    client: Client
    victim: LanguageVictim
    alias: Alias
    budget: Budget

    async def rows(self, prompts: Sequence[str], spoken: int) -> Floats:
        """Logits [SAID * N, V] less those of the spoken token; fewer where a context stopped.

        Columns are ordered by how tokens are spelled, which is what answers know them by.
        """
        whole = await self.whole(prompts, spoken)
        if not whole:
            return np.zeros((0, self.victim.vocabulary))
        return np.array([[row[name] for name in sorted(whole[0])] for row in whole])

    async def whole(
        self, prompts: Sequence[str], spoken: int, said: int = SAID
    ) -> list[dict[bytes, float]]:
        """As ``rows``, by the tokens' spellings; of ``said`` contexts for each prompt."""
        groups = self.groups(spoken)
        requests = [
            self.alias.request(biased(self.victim, prompt, spoken, group, said))
            for prompt in prompts
            for group in groups
        ]
        self.budget.take(len(requests))
        told = [entries(reply) for reply in await self.client.send_all(requests)]
        rows = []
        for at in range(0, len(told), len(groups)):
            rows += _contexts(told[at : at + len(groups)])
        return [row for row in rows if len(row) == self.victim.vocabulary]

    def groups(self, spoken: int) -> list[list[int]]:
        others = [token for token in range(self.victim.vocabulary) if token != spoken]
        size = TOLD - 1
        # The last group is as large as the others: into a free place a token comes unlifted.
        starts = [min(at, len(others) - size) for at in range(0, len(others), size)]
        return [others[at : at + size] for at in starts]


def biased(
    victim: LanguageVictim, prompt: str, spoken: int, lifted: Sequence[int], tokens: int
) -> dict[str, Any]:
    bias = {str(token): _LIFTED for token in lifted} | {str(spoken): _SPOKEN}
    return {
        **victim.parameters,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": tokens,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": TOLD,
        "logit_bias": bias,
    }


def _contexts(told: Sequence[list[list[Entry]]]) -> list[dict[bytes, float]]:
    """Of each context: what each token's logit is above the spoken token's, by its spelling."""
    found = []
    for place in range(min(map(len, told))):
        row: dict[bytes, float] = {}
        for answer in told:
            row |= _differences(answer[place])
        found.append(row)
    return found


def _differences(likeliest: Sequence[Entry]) -> dict[bytes, float]:
    """The first is the spoken token, lifted by more than the others were."""
    if not likeliest:
        return {}
    first = float(likeliest[0]["logprob"]) - _SPOKEN
    others = {
        bytes(entry["bytes"]): float(entry["logprob"]) - _LIFTED - first for entry in likeliest[1:]
    }
    return {bytes(likeliest[0]["bytes"]): 0.0} | others


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    victim = scene.language
    prompts = [victim.prompts[at] for at in scene.rng.permutation(len(victim.prompts))]
    spoken = int(scene.rng.integers(1, victim.vocabulary))
    open_ways = await _open(scene, prompts[0], spoken)
    yield Finding("aliases.open", len(open_ways))
    space, asked = NONE, 0
    if open_ways:
        reader = Reader(scene.client, victim, open_ways[0], scene.budget)
        space = await _recovered(reader, prompts[HELD_OUT:], spoken)
        asked = scene.budgets[-1] - scene.budget.left
    yield Finding("hidden_size", space.size)
    yield Finding("hidden_size.error", abs(space.size - victim.hidden))
    yield Finding("bottleneck.requests", asked)
    if space.size:
        truth = Reader(scene.public, victim, ALIASES[0], Budget(scene.budgets[-1]))
        held_out = await truth.rows(prompts[:HELD_OUT], spoken)  # past the gateway: the verdict
        yield Finding("subspace.energy", space.energy(held_out) if len(held_out) else 0.0)
    else:
        yield Finding("subspace.energy", 0.0)


async def _open(scene: Scene, prompt: str, spoken: int) -> list[Alias]:
    """Ways in by which biased tokens are told with log probabilities."""
    lifted = [token for token in range(1, TOLD + 1) if token != spoken][: TOLD - 1]
    fields = biased(scene.language, prompt, spoken, lifted, 1)
    scene.budget.take(len(ALIASES))
    replies = await scene.client.send_all([alias.request(fields) for alias in ALIASES])
    return [
        alias
        for alias, reply in zip(ALIASES, replies, strict=True)
        if any(len(each) > 1 for each in entries(reply))
    ]


async def _recovered(reader: Reader, prompts: Sequence[str], spoken: int) -> Space:
    """Of as many contexts as it takes for their number to be well above the dimensions found."""
    rows = np.zeros((0, reader.victim.vocabulary))
    for at in range(0, len(prompts), PROMPTS):
        cost = len(reader.groups(spoken)) * len(prompts[at : at + PROMPTS])
        if cost > reader.budget.left:
            return NONE
        rows = np.concatenate([rows, await reader.rows(prompts[at : at + PROMPTS], spoken)])
        # Prompts that end alike are one context to a model with a short memory.
        rows = np.unique(rows.round(_DIGITS), axis=0)
        space = output_space.recovered(rows) if len(rows) > TOLD else NONE
        if 0 < space.size * _SURE < len(rows):
            return space
    return NONE


ATTACK: Final = Attack(
    name="softmax-bottleneck",
    paper="Carlini et al., ICML 2024; Finlayson et al., COLM 2024",
    family=Family.LANGUAGE,
    needs=(Needs.LOGPROBS, Needs.LOGIT_BIAS),
    kind=Kind.LANGUAGE,
    run=_run,
    victims=("tiny-lm",),
    quick=("tiny-lm",),
    budgets=(3_500,),
    measures=(
        Measure("aliases.open", "ways in that tell log probabilities under a bias"),
        Measure("hidden_size", "dimensions of the last hidden state, 0 where it is not found"),
        Measure("hidden_size.error", "how far that is from the truth", worse="low"),
        Measure("bottleneck.requests", "requests that it took", worse="low"),
        Measure("subspace.energy", "share of unseen logits that lie in the space found"),
    ),
    policies=("full", "standard", "coarse"),
)
