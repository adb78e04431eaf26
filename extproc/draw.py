"""Keyed randomness: what is drawn is a function of secrets and of what was asked, and nothing else.

Rule (design law 7): the same question gets the same draw, so that asking again averages nothing
away.  Every draw comes from the key epoch, the tenant, the model, the tier and, for an answer, the
canonical form of its input; no mutator calls a random generator.  Labels are hashed one by one, so
that no two ways of writing a chain of them meet.

HMAC-SHA-256 (RFC 2104) derives, SHAKE-256 (FIPS 202) expands.  Only sums, products, quotients and
square roots make numbers of the octets, which IEEE 754 rounds alike everywhere: replicas on
different machines must answer alike, and no two libraries agree on a logarithm's last bit.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from extproc.prediction import Vector

_UNIT: Final = 2.0**-53
_BLOCK: Final = 64
"""Octets of a block of SHA-256, of which RFC 2104 makes these two."""
_INNER: Final = bytes(octet ^ 0x36 for octet in range(256))
_OUTER: Final = bytes(octet ^ 0x5C for octet in range(256))
_CELLS: Final = 1 << 12
_END: Final = 3.965
"""The unit normal law has no end; cut off here, what is left in straight pieces has variance 1."""


def _quantiles() -> Vector:
    """Shape (_CELLS + 1,): where cells of equal mass of the normal law meet.

    To nine decimals, so that no library's last bit shows.
    """
    law = NormalDist()
    inner = [round(law.inv_cdf(cell / _CELLS), 9) for cell in range(1, _CELLS)]
    return np.array([-_END, *inner, _END])


_QUANTILES: Final = _quantiles()


@dataclass(frozen=True, slots=True, repr=False)
class Draw:
    """A secret from which as much as is needed can be drawn, always the same."""

    key: bytes

    def child(self, label: bytes) -> "Draw":
        """The draw of something more particular."""
        if len(self.key) > _BLOCK:
            return Draw(hmac.digest(self.key, label, "sha256"))
        # Octet for octet the same, in a fifth of the time: OpenSSL looks its own up at each call.
        padded = self.key.ljust(_BLOCK, b"\0")
        inner = sha256(padded.translate(_INNER) + label).digest()
        return Draw(sha256(padded.translate(_OUTER) + inner).digest())

    def octets(self, count: int) -> bytes:
        return hashlib.shake_256(self.key).digest(count)

    def uniform(self, count: int) -> Vector:
        """Shape (count,): multiples of 2**-53 in [0, 1)."""
        words = np.frombuffer(self.octets(8 * count), "<u8")
        return (words >> np.uint64(11)).astype(np.float64) * _UNIT

    def normal(self, count: int) -> Vector:
        """Shape (count,): from the unit normal law, within 3.965 of 0.

        Its quantile function in straight pieces: the distribution function is exact at 4,095
        points and off by less than 4e-5 between them.
        """
        places = self.uniform(count) * _CELLS
        cells = places.astype(np.intp)
        lower = _QUANTILES[cells]
        return lower + (_QUANTILES[cells + 1] - lower) * (places - cells)

    def below(self, bound: int) -> int:
        """A whole number in [0, bound), of at most 64 bits; no value is likelier by over 2**-64."""
        return int.from_bytes(self.octets(16), "little") % bound


@dataclass(frozen=True, slots=True)
class Source:
    """What the mutators of one prediction draw from."""

    space: Draw
    """Of this model, for this tenant, whatever the tier and the input: for what has to fit what
    was answered before another tier applied, as the vectors of one index do."""
    model: Draw
    """Of the tier, too: the same for every input."""
    input: Draw
    """Of the input that the prediction answers, too."""
    cell: Draw | None = None
    """Of the key epoch, the cohort, or the tenant where it has none, the model and the cell that
    the input lies in (marks/cells.py), whatever the tier: for marks that a copy is known by.  None
    where the answer is no mark, nor a control (marks/stamps.py)."""
    names: Sequence[Sequence[Any]] = ()
    """For each class of the prediction what it is called; empty where its place tells."""
    marks: Draw | None = None
    """Of the key epoch, the cohort, or the tenant where it has none, and the model, whatever the
    tier and the input: for marks in vectors.  None where nothing is to be marked."""
    told: dict[bytes, int] | None = None
    """How many answers about the input were drawn of each sort; None where there is but one."""

    def answer(self, sort: bytes) -> Draw:
        """Of one more answer about the input, independent of all before: of two with one noise it
        would be certain whether the model said the same twice.
        """
        own = self.input.child(sort)
        if self.told is None:
            return own
        number = self.told[sort] = self.told.get(sort, -1) + 1
        return own.child(b"%d" % number) if number else own


@dataclass(frozen=True, slots=True)
class Draws:
    """What one answer draws from."""

    space: Draw
    """Of the key epoch, the tenant and the model."""
    inputs: Sequence[bytes]
    """Digests of the canonical inputs, in the order in which they are answered."""
    tier: bytes = b""
    """Digest of what the tier does.  Two answers of one draw that were treated differently would
    be two equations for one unknown."""
    cells: Mapping[int, Draw] = field(default_factory=dict)
    """By the number of an input, where it has a cell that matters: see Source."""
    marks: Draw | None = None
    """See Source."""
    told: dict[int | None, dict[bytes, int]] = field(default_factory=dict)
    """By the number of an input: see Source."""

    def of(self, at: int | None, names: Sequence[Sequence[Any]] = ()) -> Source:
        """For the answer to one input; of all inputs together where it is not known to which."""
        model = self.space.child(b"tier " + self.tier)
        cell = self._cell(at)
        if at is not None and at < len(self.inputs):
            own = model.child(b"input " + self.inputs[at])
            told = self.told.setdefault(at, {})
            return Source(self.space, model, own, cell, names, self.marks, told)
        together = model.child(b"inputs")
        for digest in self.inputs:
            together = together.child(digest)
        told = self.told.setdefault(None, {})
        return Source(self.space, model, together, cell, names, self.marks, told)

    def _cell(self, at: int | None) -> Draw | None:
        """Of a request of one input all is about that one."""
        number = 0 if at is None and len(self.inputs) == 1 else at
        return self.cells.get(number) if number is not None else None
