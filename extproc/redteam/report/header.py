"""What was run: all that a reader needs to run it again.

Rule: nothing of the machine that can differ where the numbers do not.
"""

import msgspec


class Planned(msgspec.Struct, frozen=True):
    """One attack on one victim under one policy, up to a budget; under every seed of the run."""

    attack: str
    victim: str
    policy: str
    budget: int


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What an attacker pays; zero where it is not known."""

    per_thousand_queries: float = 0.0
    """For inputs that were answered."""
    per_key: float = 0.0
    """For each API key: a registration, a phone number, a card."""
    currency: str = "$"

    def cost(self, answered: float, keys: int) -> float:
        return answered / 1_000 * self.per_thousand_queries + keys * self.per_key

    @property
    def known(self) -> bool:
        return bool(self.per_thousand_queries or self.per_key)


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says that each record is promised; nobody here has checked it."""

    epsilon: float
    delta: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    """Of extproc."""
    date: str
    """UTC, as 2026-11-26."""
    command: str
    """The command line that gives it again."""
    seeds: tuple[int, ...]
    policies: tuple[str, ...]
    """In the order of the report; the baseline first."""
    plan: tuple[Planned, ...]
    victims: dict[str, str] = {}
    """A sentence about each, by name."""
    training_privacy: dict[str, Privacy] = {}
    """What the policy files declare of it, by victim, where they do."""
    private_answers: dict[str, Privacy] = {}
    """What they promise of all answers to one caller, by policy, where they answer votes alone."""
    facts: dict[str, str] = {}
    """Versions of what was run, such as Envoy's; sizes of the machine; what it took."""
    prices: Prices = Prices()
    whole: bool = True
    """Whether it was all of the attacks and budgets; a quick run is not."""
    broken: tuple[str, ...] = ()
    """Trials that gave no result, a sentence each; they are no defence."""
    baseline: str = "none"

    def planned(self, attack: str, victim: str, policy: str, budget: int) -> bool:
        """Whether this was to be measured; an empty attack is any."""
        return any(
            each.victim == victim
            and each.policy == policy
            and attack in {"", each.attack}
            and each.budget >= budget
            for each in self.plan
        )
