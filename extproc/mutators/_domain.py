"""The numbers a prediction may hold.

Rule: mutators are total.  What cannot be a probability is refused, whatever a dialect let through:
NaN sorts and rounds to anything, and a negative number survives a floor.  What is served of them
is counted (capacity.py), so they may not add up to more than they promise.
"""

import math
from typing import Final

import numpy as np

from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Tokens, Vector

SMALL: Final = 64
"""Classes up to which plain numbers are several times faster than numpy."""
EXCESS: Final = 1e-3
"""How far above certainty a model server's float arithmetic may end."""
MOST: Final = 1.01
"""What probabilities add up to at most, with the float error of as many as there are."""
_NEVER: Final = float("-inf")
"""The log of an impossible token's probability."""


def check_probabilities(values: Vector) -> None:
    """Raise UpstreamError where values, shape (classes,), are no probabilities."""
    if values.size <= SMALL:
        listed = values.tolist()
        least, most, total = min(listed, default=0.0), max(listed, default=0.0), sum(listed)
    else:
        least, most, total = values.min(), values.max(), np.add.reduce(values)
    # The sum is not a number where one of them is not, which min and max may overlook.
    if not (least >= 0.0 and most <= 1.0 + EXCESS and total <= MOST):
        raise UpstreamError("a probability is not within [0, 1], or all add up to more")


def check_logprobs(logprobs: Logprobs) -> None:
    """Raise UpstreamError where one of the tokens has no natural log of a probability."""
    for token in (logprobs.chosen, *logprobs.alternatives):
        if not _NEVER < token.logprob <= EXCESS:
            raise UpstreamError("a log probability is not finite, or above 0")


def check_tokens(tokens: Tokens) -> None:
    """As check_logprobs of each of many."""
    values = tokens.logprobs
    if values.size and not (values.min() > _NEVER and values.max() <= EXCESS):
        raise UpstreamError("a log probability is not finite, or above 0")


def likelihoods(tokens: Tokens) -> Vector:
    """What the logs are of, at most 1.

    Plain arithmetic, whose last bit is the same however many are computed at once.
    """
    return np.array([math.exp(value) for value in np.minimum(tokens.logprobs, 0.0).tolist()])
