"""Which embeddings are committed to: of the inputs that a tenant asks about a share, by a draw.

Rule: it hangs on the key and on the canonical input alone, so that whoever asks again adds nothing,
and nobody chooses.  Vectors are marked whether they are kept or not; what is kept is what a judge
needs to look for the marks: the input, the model's own vector, and the key of the moves, which is
the same for all that one cohort, or tenant, is told of one model in one epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from extproc.canonical import Steps
from extproc.draw import Draw
from extproc.marks.marking import MOST, Kept, written
from extproc.marks.positions import secret
from extproc.marks.stamps import name

_ALL: Final = 1 << 64
_TURN: Final = 512
"""Inputs that are drawn before others have their turn: some 2 ms."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Of one model, for one cohort or tenant without one."""

    marks: Draw
    """Of its marks: see draw.Source."""
    strength: float
    share: float
    """Of distinct inputs."""

    def kept(self, inputs: Sequence[Any], digests: Sequence[bytes]) -> Steps[dict[int, Kept]]:
        """By the number of the input, in steps between which others have their turn.

        ``digests``: of the canonical inputs, one for each.
        """
        found: dict[int, Kept] = {}
        key, most, left = secret(self.marks), self.share * _ALL, MOST
        for number, digest in enumerate(digests):
            if number and number % _TURN == 0:
                yield
            drawn = cell(key, digest)
            if int.from_bytes(drawn.key[:8], "little") >= most:
                continue
            octets = written(inputs[number])
            if octets is not None and len(octets) <= left:
                left -= len(octets)
                found[number] = Kept(name(drawn), octets, key.key.hex(), self.strength)
        return found


def cell(key: Draw, digest: bytes) -> Draw:
    """Of a canonical input.  ``key``: see positions.secret."""
    return key.child(b"kept " + digest)
