"""What an attack has before it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget, Classifier, Embedder
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, LanguageVictim, Victim


@dataclass(frozen=True, slots=True)
class Scene:
    """One trial, from the attacker's side."""

    victim: Victim
    client: Client
    """To the gateway under test; with the attacker's keys."""
    public: Client
    """To what anybody can have: the public models that victims were made from.  Costs nothing."""
    budget: Budget
    budgets: Sequence[int]
    """At which to yield a copy, ascending."""
    rng: np.random.Generator
    replicas: tuple[str, ...] = field(default=(), kw_only=True)
    """URLs of the gateway's replicas where there are several, the client's first."""

    @property
    def target(self) -> ClassifierVictim:
        assert isinstance(self.victim, ClassifierVictim)
        return self.victim

    @property
    def embedding(self) -> EmbeddingVictim:
        assert isinstance(self.victim, EmbeddingVictim)
        return self.victim

    @property
    def language(self) -> LanguageVictim:
        assert isinstance(self.victim, LanguageVictim)
        return self.victim

    def classifier(self) -> Classifier:
        victim = self.target
        return Classifier(self.client, victim.adapter, victim.classes, self.budget)

    def embedder(self) -> Embedder:
        return Embedder(self.client, self.embedding.adapter, self.budget)
