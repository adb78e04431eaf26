"""How detection is set up, and what it needs of a policy."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from extproc.escalation import Ladder

Per = Literal["tenant", "principal"]


class Settings(Struct, frozen=True):
    half_life: float = 7 * 86_400.0
    """Seconds after which what was counted counts half."""
    per: Per = "tenant"
    """Whose profile is kept."""
    profiles: int = 100_000
    """At most so many."""
    thresholds: Mapping[str, float] = {}
    """In nats, by traffic class: what its benign callers reach once in a thousand lives."""
    discounts: Mapping[str, Mapping[str, float]] = {}
    """In nats, by traffic class and detector: see evidence.py."""

    reference: str = ""
    """By which callers are looked at; see detectors/seen.py."""

    def threshold(self, traffic: str) -> float:
        """Of a class that nobody has calibrated nothing is suspicious."""
        return self.thresholds.get(traffic, math.inf)

    def discount(self, traffic: str) -> Mapping[str, float]:
        return self.discounts.get(traffic, {})

    def subject(self, tenant: str, principal: str) -> str:
        return f"{tenant}|{principal}" if self.per == "principal" else tenant


class Terms(Struct, frozen=True):
    """What applies to one tenant on one route."""

    traffic: str = "user"
    """The traffic class."""
    ladder: Ladder = Ladder()
    exempt: bool = False
    """Whether nothing is ever done about its tenant."""
    cohort: str = ""
    """That the policy file has the tenant belong to; empty where it names none."""
    shadow: bool = False
    """Whether the policy is on trial."""
    policy: str = ""
    """Digest of the configuration."""


Find = Callable[[str, str], Terms | None]
"""Of a tenant and a route; None where the policy has no such any more."""
