"""A random forest, fitted by scikit-learn, answered in numpy.

Rule: seeded, so that every start yields the same model; its numbers are scikit-learn's, which goes
down one tree after another and takes milliseconds for a row.  Breiman, 2001, "Random Forests".
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from extproc.demo.server.models.classifier import Floats, Ints, Scores, Signature

TREES: Final = 100

_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of all trees in one list [M]; a leaf leads to itself."""

    signature: Signature
    scale: float
    roots: Ints
    feature: Ints
    threshold: Floats
    children: Ints
    """[2M]: where a node leads by no and by yes to "is it more than the threshold"."""
    votes: Floats
    """[M, C]: shares of the classes among what was fitted on and fell into the node."""
    depth: int

    @classmethod
    def fit(cls, signature: Signature, rows: Floats, labels: Ints, *, scale: float = 1.0) -> Self:
        """Fit 100 trees on rows [N, d] of labels [N]."""
        fitted = RandomForestClassifier(TREES, random_state=_SEED).fit(rows / scale, labels)
        trees = [each.tree_ for each in fitted.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        return cls(
            signature,
            scale,
            roots,
            np.concatenate([np.maximum(tree.feature, 0) for tree in trees]),
            np.concatenate([tree.threshold for tree in trees]),
            np.concatenate(
                [_children(tree) + root for tree, root in zip(trees, roots, strict=True)]
            ).ravel(),
            np.concatenate([tree.value[:, 0] for tree in trees]),
            max(tree.max_depth for tree in trees),
        )

    def score(self, rows: Floats) -> Scores:
        seen = (rows / self.scale).astype(np.float32)  # as scikit-learn does
        offsets = np.arange(len(seen))[:, None] * seen.shape[1]
        node = np.broadcast_to(self.roots, (len(seen), len(self.roots)))
        for _ in range(self.depth):
            more = seen.take(offsets + self.feature.take(node)) > self.threshold.take(node)
            node = self.children.take(2 * node + more)
        probabilities: Floats = self.votes.take(node, axis=0).mean(axis=1)
        return Scores(probabilities, probabilities.argmax(axis=1))


def _children(tree: Any) -> NDArray[np.int64]:
    """Both children of each node [n, 2]."""
    both = np.stack([tree.children_left, tree.children_right], axis=1)
    itself = np.arange(len(both))[:, None]
    return np.where(both < 0, itself, both)
