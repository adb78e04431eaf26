"""Extremely randomised trees, on labels or on scores.

Rule: trees are regressed on the targets [N, C], which for labels is choosing splits by Gini's
impurity; one that sees more rows than it has time for learns from some of them.  Geurts, Ernst and
Wehenkel, 2006, "Extremely randomized trees".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from extproc.redteam.answers import Floats, Ints

TREES: Final = 40
MOST: Final = 3_000
"""Rows that are learnt from: time grows faster than they do, agreement hardly any more."""
_FEATURES: Final = 0.3
"""Share of features tried for each split."""
_WIDE: Final = 200
"""Features above which their square root is enough."""


@dataclass(frozen=True, slots=True)
class Forest:
    trees: ExtraTreesRegressor

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self.probabilities(inputs).argmax(axis=1)
        return labels

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]: the mean of what the trees say."""
        said: Floats = self.trees.predict(inputs)
        return said


def fit(inputs: Floats, targets: Floats, rng: np.random.Generator) -> Forest:
    """To inputs [N, d] and targets [N, C]."""
    if len(inputs) > MOST:
        kept = rng.choice(len(inputs), MOST, replace=False)
        inputs, targets = inputs[kept], targets[kept]
    trees = ExtraTreesRegressor(
        TREES,
        max_features=_FEATURES if inputs.shape[1] <= _WIDE else "sqrt",
        random_state=int(rng.integers(2**31)),
    )
    return Forest(trees.fit(inputs, targets))
