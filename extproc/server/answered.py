"""What the vault is told of an exchange."""

from msgspec import Struct


class Answered(Struct, frozen=True):
    """The answer that cells were found in."""

    time: float
    """Seconds since 1970."""
    request: str
    tenant: str
    cohort: str
    route: str
    model: str
    epoch: int
    policy: str
