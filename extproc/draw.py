"""Keyed randomness: what is drawn is a function of secrets and of what was asked, and nothing else.

Rule (design law 7): the same question gets the same draw, so that asking again averages nothing
away.  Every draw comes from the key epoch, the tenant, the policy, the model and, for an answer,
the canonical form of its input; no mutator calls a random generator.  Labels are hashed one by
one, so that no two ways of writing a chain of them meet.

HMAC-SHA-256 (RFC 2104) derives, SHAKE-256 (FIPS 202) expands: the same octets on every machine.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from extproc.prediction import Vector

_UNIT = 2.0**-53


@dataclass(frozen=True, slots=True, repr=False)
class Draw:
    """A secret from which as much as is needed can be drawn, always the same."""

    key: bytes

    def child(self, label: bytes) -> "Draw":
        """The draw of something more particular."""
        return Draw(hmac.digest(self.key, label, "sha256"))

    def octets(self, count: int) -> bytes:
        return hashlib.shake_256(self.key).digest(count)

    def uniform(self, count: int) -> Vector:
        """Shape (count,): multiples of 2**-53 in [0, 1)."""
        words = np.frombuffer(self.octets(8 * count), "<u8")
        return (words >> np.uint64(11)).astype(np.float64) * _UNIT

    def below(self, bound: int) -> int:
        """A whole number in [0, bound), of at most 64 bits; no value is likelier by over 2**-64."""
        return int.from_bytes(self.octets(16), "little") % bound


@dataclass(frozen=True, slots=True)
class Source:
    """What the mutators of one prediction draw from."""

    model: Draw
    """Of this model, for this tenant and policy: the same for every input."""
    input: Draw
    """Of the input that the prediction answers, too."""


@dataclass(frozen=True, slots=True)
class Draws:
    """What one answer draws from."""

    model: Draw
    inputs: Sequence[bytes]
    """Digests of the canonical inputs, in the order in which they are answered."""

    def of(self, at: int | None) -> Source:
        """For the answer to one input; of all inputs together where it is not known to which."""
        if at is not None and at < len(self.inputs):
            return Source(self.model, self.model.child(self.inputs[at]))
        together = self.model
        for digest in self.inputs:
            together = together.child(digest)
        return Source(self.model, together.child(b"together"))
