"""An ensemble of teachers, each of which knows a few handwritten digits that no other one knows.

Rule: a record has one teacher and a teacher one vote, so that a record moves one vote at most: that
is what private answers rest on (Papernot et al., "Scalable Private Learning with PATE", ICLR 2018).
A teacher says what the nearest of its own images is, to the question as it is or moved by a pixel.
Of what was taught one label in thirty is wrong, as in `digits`.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from extproc.demo.server.models.classifier import Floats, Ints, Scores, Signature
from extproc.demo.server.models.digits import CLASSES, PIXELS, mislabelled, split

TEACHERS: Final = 100
_SIDE: Final = 8
_MOVES: Final = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
_SEED: Final = 20_260_110


def digits() -> "Teachers":
    """Of the images that `split` does not hold out; takes no time."""
    images, _, labels, _ = split()
    signature = Signature(
        "digits-teachers", "image", PIXELS, CLASSES, logits=False, teachers=TEACHERS
    )
    return Teachers.taught(signature, images, mislabelled(labels))


@dataclass(frozen=True, slots=True)
class Teachers:
    """They know images [N, d] and their labels [N]: each those at its places [T, n]; N is none."""

    signature: Signature
    images: Floats
    labels: Ints
    dealt: Ints

    @classmethod
    def taught(cls, signature: Signature, images: Floats, labels: Ints) -> Self:
        """Deal images [N, d] of labels [N] to the teachers."""
        order = np.random.default_rng(_SEED).permutation(len(images))
        hands = np.array_split(order, signature.teachers)
        dealt = np.full((len(hands), len(hands[0])), len(images))
        for hand, places in zip(dealt, hands, strict=True):
            hand[: len(places)] = places
        return cls(signature, images, np.append(labels, 0), dealt)

    def score(self, rows: Floats) -> Scores:
        """Squares of distances are exact: pixels are small whole numbers, of most questions too."""
        off = np.min([self._off(moved) for moved in _moved(rows)], axis=0)
        nearest = off[:, self.dealt].argmin(axis=2)
        said = self.labels[self.dealt[np.arange(len(self.dealt)), nearest]]
        votes: Ints = (said[:, :, None] == np.arange(self.signature.classes)).sum(axis=1)
        return Scores(votes / len(self.dealt), votes.argmax(axis=1), votes=votes)

    def _off(self, rows: Floats) -> Floats:
        """Squared distances of rows [B, d] from every image [B, N + 1]; what is nobody's is far."""
        own = (self.images**2).sum(axis=1)
        off = (rows**2).sum(axis=1)[:, None] + own - 2 * rows @ self.images.T
        return np.pad(off, ((0, 0), (0, 1)), constant_values=np.inf)


def _moved(rows: Floats) -> list[Floats]:
    """Images [B, d] as they are, and moved to each side."""
    wide = np.pad(rows.reshape(-1, _SIDE, _SIDE), ((0, 0), (1, 1), (1, 1)))
    return [
        wide[:, 1 + down : 1 + down + _SIDE, 1 + right : 1 + right + _SIDE].reshape(len(rows), -1)
        for down, right in _MOVES
    ]
