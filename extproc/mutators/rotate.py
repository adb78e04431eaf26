"""Give each tenant its own coordinates: a secret rotation of the embedding space.

Rule: every length and every angle between one tenant's vectors is what it was, to float error, so
its rankings are exact; and no vector of one tenant says anything next to one of another.  Keys that
pool their answers have nothing to pool, and an inverter trained on the open model reads nothing
(Morris et al., "Text Embeddings Reveal (Almost) As Much As Text", EMNLP 2023; Zhuang et al.,
SIGIR-AP 2024, on transformations).  The rotation is that of the key epoch, the tenant, the model
and the number of dimensions, whatever the tier: an index stays good until one of them changes,
which ``space_id`` tells in a header field of every answer.

It does not stop a single thief with one key, to whom a rotated space is as good as any, nor those
who align two spaces by as many texts as there are dimensions, embedded in both.
"""

from typing import ClassVar

from extproc.draw import Draw, Source
from extproc.marks.spaces import turned
from extproc.mutators._norm import norm
from extproc.mutators._rotation import rotation
from extproc.mutators.capacity import FLOAT, Capacity
from extproc.mutators.mutator import Keyed
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Votes,
)


class Rotate(Keyed, frozen=True, tag="rotate"):
    """A vector of zeros stays one."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                norm(values)
                secret = source.space.child(b"rotate")
                return Embedding(rotation(secret, values.size).turn(values))
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("rotate knows embeddings only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """All that was there, spread over all components."""
        return before.least(shown=before.size, depth=FLOAT)


def fingerprint(space: Draw, raw: Matrix, suspect: Matrix) -> float:
    """log2 of the p-value that a suspect lies in this space (see marks/spaces.py).

    Row by row of the same text: ``raw`` [n, d] of the model itself, ``suspect`` [n, e].
    """
    tenants = rotation(space.child(b"rotate"), raw.shape[1])
    return turned(tenants.signs, lambda axis: tenants.turn(axis * tenants.signs), raw, suspect)


def space_id(space: Draw) -> str:
    """16 hexadecimal digits that change when vectors no longer fit older ones.

    Of the space of a Source: the key epoch, the tenant and the model.  Not of the dimensions, since
    no index mixes sizes, and so that it is known before any vector is.
    """
    return space.child(b"rotate").child(b"name").key.hex()[:16]
