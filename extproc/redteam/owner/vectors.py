"""Whose a copy of an embedding model is: by what is moved in it, for the key of each who asked.

Rule: the owner has the model itself, and the texts that were asked about; keys are those of the
gateway's policy file.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from extproc.config import compile_table, load
from extproc.draw import Draw
from extproc.marks.spaces import accused, moved, residues
from extproc.marks.statistics import holm
from extproc.mutators import MarkPositions
from extproc.policy import Policy
from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget, Embedder
from extproc.redteam.owner.found import Found
from extproc.redteam.owner.kept import Kept

LEVEL: Final = math.log2(1e-6)
"""Bits, at which anybody is named."""


@dataclass(frozen=True, slots=True)
class _Key:
    draw: Draw
    strength: float


@dataclass
class VectorOwner:
    kept: Kept
    adapter: OpenAiEmbeddings
    client: Client
    """To the model itself."""
    _own: tuple[Sequence[str], Floats] | None = field(default=None, init=False)
    """The texts that were looked at last, and what the model says of them."""

    async def finds(
        self, copy: Callable[[list[str]], Floats], asked: Sequence[str]
    ) -> Found | None:
        """None where nothing is marked, or nothing was asked.

        Raise ConfigError where the policy file cannot be used, ConnectionError where the model does
        not answer.
        """
        if not asked or not self._keys:
            return None
        raw = await self._raw(asked)
        left = residues(raw, copy(list(asked)))
        bits = {
            party: moved(key.draw, key.strength, raw, left).bits
            for party, key in self._keys.items()
        }
        named = {party for party, _ in accused(bits, 2.0**LEVEL)}
        corrected = dict(zip(bits, holm(list(bits.values())), strict=True))
        thief, others = self.kept.thief, self.kept.others
        return Found(
            corrected[thief],
            thief in named,
            tuple(corrected[each] for each in others),
            len(named - {thief}),
        )

    @cached_property
    def _keys(self) -> dict[str, _Key]:
        """Of each who asked; empty where answers are not marked."""
        policies = compile_table(load(self.kept.folders[0] / "policy.yaml")).policies
        asking = self.adapter.request([""], 0)
        route = f"{asking.method} {asking.path}"
        found = {
            party: _key(policies[f"{party}-0", route], self.adapter.model)
            for party in (self.kept.thief, *self.kept.others)
        }
        return {party: key for party, key in found.items() if key is not None}

    async def _raw(self, texts: Sequence[str]) -> Floats:
        if self._own is None or self._own[0] is not texts:
            embedder = Embedder(self.client, self.adapter, Budget(len(texts)))
            vectors = await embedder.ask(texts)
            if not vectors.served.all():
                raise ConnectionError(f"{self.client.url}: the model does not answer its owner")
            self._own = texts, vectors.values
        return self._own[1]


def _key(policy: Policy, model: str) -> _Key | None:
    chain = policy.fidelity.mutators.get("embedding", ())
    strengths = [each.strength for each in chain if isinstance(each, MarkPositions)]
    draws = policy.draws(model, ())
    source = draws.of(None) if draws is not None else None
    if not strengths or source is None or source.marks is None:
        return None
    return _Key(source.marks, strengths[0])
