"""What is told when a caller's suspicion has led to something, or has ceased to.

Rule: names, counts and nats; what it is told to leaves out, or hides, who the principal is.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One change of one subject."""

    time: float
    """In seconds since 1970."""
    subject: str
    """Whose profile it is: a tenant, ``TENANT|PRINCIPAL``, or ``cohort:NAME``."""
    tenant: str
    """Empty where the subject is a cohort of several."""
    principal: str
    """As it was proven; empty where the subject is more than one of them."""
    traffic: str
    """The traffic class that it was measured by."""
    suspicion: float
    """From 0 to 1."""
    evidence: Mapping[str, float]
    """In nats, by detector; -inf where one says nothing."""
    counts: Mapping[str, int]
    """What was counted of it: ``queries``, ``exchanges`` and the like."""
    before: str = ""
    """The name of the step that it stood on; empty for none."""
    after: str = ""
    """The name of the step that it stands on now; the same where only its suspicion has risen."""
    escalated: bool = False
    """Whether it was put on a step, or on a higher one."""
    until: float = 0.0
    """When that ends, in seconds since 1970; 0 where it stands on none."""
    shadow: bool = False
    """Whether nothing comes of it, as a policy on trial has it."""
    policy: str = ""
    """Digest of the configuration that decided."""


class Listener(Protocol):
    """Is told of each; never raises, never waits."""

    def found(self, finding: Finding) -> None: ...
