"""What becomes of a request for which a budget has nothing left.

Each action but ``Deny`` lets it pass on terms: less exactly answered, against computing time,
with a stronger credential, or more slowly.  Work is priced by what is asked: as many bits as come,
as much work, and more of it for whoever is suspected (Dziedzic et al., "Increasing the Cost of
Model Extraction with Calibrated Proof of Work", ICLR 2022, where what a query reveals sets the
price, a customer pays at most twice what it did, and an attacker a hundredfold).
"""

from math import ceil, log2
from typing import Final

from msgspec import Struct

from extproc.limits.rate import Rate

PER_SECOND: Final = 1_500_000
"""Iterations of PBKDF2-HMAC-SHA-256 that one core of a modest machine does in a second."""
DEARER: Final = 100
"""How many times as much work is asked of whoever is certainly copying the model."""


class Deny(Struct, frozen=True):
    """Refused, to be tried again when there is more."""


class Lower(Struct, frozen=True):
    """Answered at a lower tier."""

    fidelity: str


class Challenge(Struct, frozen=True):
    """Served to whoever does some work first."""

    least: int
    """Iterations, on average: for ``bits`` or less."""
    most: int
    """Iterations, on average: whatever is asked, by whomever."""
    bits: int
    """How many of them the least pays for."""

    def work(self, bits: int, suspicion: float = 0.0) -> int:
        """Iterations for so many bits by a caller so suspected, from 0 to 1.

        Rises with both, in steps of two: a finer price would tell a caller how far it is suspected,
        and let one pass with the solution of its last challenge only while nothing changes.
        """
        doubt = min(1.0, max(0.0, suspicion))
        price = max(1.0, bits / self.bits) * DEARER**doubt
        return int(min(self.most, self.least * 2 ** ceil(log2(price))))


class StepUp(Struct, frozen=True):
    """Served to whoever shows a credential of one of these classes (RFC 9470, ``acr_values``)."""

    acr_values: tuple[str, ...]


class Throttle(Struct, frozen=True):
    """Served at a rate of its own."""

    rate: Rate


Action = Deny | Lower | Challenge | StepUp | Throttle
DENY: Final = Deny()
