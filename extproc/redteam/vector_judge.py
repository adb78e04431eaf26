"""How good a copy of an embedding model is.

Two measures, neither of which a rotation changes: the cosine between the copy's vectors and the
victim's after the best rotation of one onto the other (Schoenemann, 1966, "A generalized solution
of the orthogonal Procrustes problem"; found on three quarters of the texts, measured on the rest),
and recall at 10: of the ten nearest texts by the victim's vectors, how many are by the copy's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Measure

MEASURES: Final = (
    Measure("cosine", "mean cosine with the victim's vectors, after the best rotation"),
    Measure("recall_at_10", "share of the victim's ten nearest texts that are the copy's too"),
    Measure("topic_accuracy", "how often the nearest text by the copy is of the same topic"),
)
_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class VectorJudge:
    """Of one embedding model; ``vectors`` [N, D] are the victim's of ``texts``;
    ``topics`` is empty where nobody knows them.
    """

    texts: Sequence[str]
    topics: Ints
    vectors: Floats
    _near: Ints = field(init=False, repr=False)
    """The nearest by the victim's vectors; found once for all copies."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_near", _nearest(unit(self.vectors), _COUNT))

    def verdict(self, embed: Callable[[list[str]], Floats]) -> Iterator[tuple[str, float]]:
        """Name and value of each measure."""
        copy = unit(embed(list(self.texts)))
        yield "cosine", aligned_cosine(copy, unit(self.vectors))
        near = _nearest(copy, _COUNT)
        yield "recall_at_10", _alike(near, self._near)
        if len(self.topics):
            yield "topic_accuracy", _of_one_topic(near, self.topics)


def unit(vectors: Floats) -> Floats:
    """Rows of length one; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def aligned_cosine(copy: Floats, victim: Floats) -> float:
    """Mean cosine on the last quarter, after the rotation that fits the others best.

    These must be more than the dimensions, or the rotation fits them and nothing else.
    """
    width = max(copy.shape[1], victim.shape[1])
    one, two = _wide(copy, width), _wide(victim, width)
    kept = 3 * len(one) // 4
    left, _, right = np.linalg.svd(one[:kept].T @ two[:kept])
    turned = one[kept:] @ (left @ right)
    return float(np.mean(np.sum(turned * two[kept:], axis=1)))


def recall(copy: Floats, victim: Floats, count: int) -> float:
    """Share of the victim's ``count`` nearest neighbours that are the copy's too."""
    return _alike(_nearest(copy, count), _nearest(victim, count))


def neighbour_accuracy(vectors: Floats, topics: Ints) -> float:
    """How often the nearest other text is of the same topic."""
    return _of_one_topic(_nearest(vectors, 1), topics)


def _alike(near: Ints, victims: Ints) -> float:
    """Of nearest texts [N, count] by two models: the share that is the same."""
    both = (near[:, :, None] == victims[:, None, :]).any(axis=2)
    return float(both.mean())


def _of_one_topic(near: Ints, topics: Ints) -> float:
    return float(np.mean(topics[near[:, 0]] == topics))


def _nearest(vectors: Floats, count: int) -> Ints:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :count]


def _wide(vectors: Floats, width: int) -> Floats:
    return np.pad(vectors, ((0, 0), (0, width - vectors.shape[1])))
