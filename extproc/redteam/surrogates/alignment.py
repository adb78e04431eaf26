"""Spaces of several keys, brought into one.

Rule: nothing is known of how a key's space is turned, but that it is: a rotation for each key.
With texts that were embedded under every key the rotation between two spaces follows from those
(Schoenemann, 1966).  With a public model it follows without them: each key's answers are a turn of
one linear map, and the map and the turns are found in turns of their own, as in generalised
Procrustes analysis (Gower, 1975, "Generalized Procrustes Analysis", Psychometrika 40(1)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import ridge
from extproc.redteam.surrogates.ridge import Linear

ROUNDS: Final = 4
"""Of finding turns and map; three more change the third digit."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one key got: ``known`` [n, D] by the public model, ``served`` [n, E] in its space."""

    known: Floats
    served: Floats


def by_anchors(served: Sequence[Floats], anchors: int) -> list[Floats]:
    """Answers [n, E] of each key in the first key's space; the first ``anchors`` are shared."""
    first = served[0][:anchors]
    return [each @ ridge.procrustes(each[:anchors], first) for each in served]


def by_map(shares: Sequence[Share]) -> Linear:
    """The map of the public model to the first key's space, from all keys' answers."""
    known = np.concatenate([share.known for share in shares])
    fitted = ridge.chosen(shares[0].known, shares[0].served)
    spectrum = ridge.Spectrum.of(known)
    for _ in range(ROUNDS):
        turned = [
            share.served @ ridge.procrustes(share.served, fitted(share.known)) for share in shares
        ]
        fitted = spectrum.fit(np.concatenate(turned), ridge.STRENGTHS[3])
    return fitted
