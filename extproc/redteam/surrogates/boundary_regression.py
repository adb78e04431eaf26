"""Softmax regression on labels and on points of the boundary.

Rule: of a point on the boundary between two classes both are equally likely, and all others are
less: it is a question that was answered with half of each.  So a point that was found by halving
says as much as a score does, once for two classes.
"""

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates import softmax_regression
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression, one_hot
from extproc.redteam.walks.line_search import Crossings

RIDGE = 0.01
"""On squared weights, against the sum over all answers."""


def fit(
    inputs: Floats,
    labels: Ints,
    crossings: Crossings,
    classes: int,
    start: SoftmaxRegression | None = None,
) -> SoftmaxRegression:
    """Fit to inputs [N, d] with their labels [N], and to crossings."""
    halves = (one_hot(crossings.own, classes) + one_hot(crossings.other, classes)) / 2
    return softmax_regression.fit(
        np.concatenate([inputs, crossings.middles]),
        np.concatenate([one_hot(labels, classes), halves]),
        classes,
        ridge=RIDGE / (len(inputs) + len(crossings)),
        start=start,
    )
