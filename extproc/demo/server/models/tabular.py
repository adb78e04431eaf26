"""Two small tables that scikit-learn bundles: breast tumours of two kinds, wines of three growers.

Rule: inputs are features scaled to 0 and 1 by their ranges, as the data set's page tells them.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import train_test_split

from extproc.demo.server.models.classifier import Floats, Ints, Signature
from extproc.demo.server.models.softmax_regression import SoftmaxRegression

_C: Final = 1.0
_HELD_OUT: Final = 0.4
_SEED: Final = 0


def cancer() -> SoftmaxRegression:
    """Fit on three fifths of the tumours."""
    return _fit(Signature("cancer", "features", 30, 2), load_breast_cancer)


def wine() -> SoftmaxRegression:
    """Fit on three fifths of the wines."""
    return _fit(Signature("wine", "features", 13, 3), load_wine)


def split(load: Callable[..., Any]) -> tuple[Floats, Floats, Ints, Ints]:
    """Rows to fit on, rows held out, labels to fit on, labels held out."""
    rows, labels = load(return_X_y=True)
    low, high = rows.min(axis=0), rows.max(axis=0)
    kept, held, kept_labels, held_labels = train_test_split(
        (rows - low) / (high - low),
        labels,
        test_size=_HELD_OUT,
        random_state=_SEED,
        stratify=labels,
    )
    return kept, held, np.asarray(kept_labels), np.asarray(held_labels)


def _fit(signature: Signature, load: Callable[..., Any]) -> SoftmaxRegression:
    rows, _, labels, _ = split(load)
    return SoftmaxRegression.fit(signature, rows, labels, c=_C)
