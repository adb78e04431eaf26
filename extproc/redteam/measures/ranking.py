"""How good a ranking is.

Source: Järvelin and Kekäläinen, 2002, "Cumulated gain-based evaluation of IR techniques": what is
found late counts less, by the logarithm of its place.
"""

import numpy as np

from extproc.redteam.answers import Bools, Floats


def ndcg(likeness: Floats, relevant: Bools, count: int) -> float:
    """Mean over Q questions of the discounted gain of the first ``count``, by the best there is.

    ``likeness`` [Q, N] ranks, ``relevant`` [Q, N] says what should be found; questions that have
    nothing relevant do not count.  Raise ValueError where none has.
    """
    asked = relevant.any(axis=1)
    if not asked.any():
        raise ValueError("no question has anything relevant")
    likeness, relevant = likeness[asked], relevant[asked]
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    discount = 1 / np.log2(np.arange(2, order.shape[1] + 2))
    gained = np.take_along_axis(relevant, order, axis=1) @ discount
    best = np.cumsum(discount)[np.minimum(relevant.sum(axis=1), len(discount)) - 1]
    return float(np.mean(gained / best))
