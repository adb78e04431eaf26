"""The numbers a prediction may hold.

Rule: mutators are total.  What cannot be a probability is refused, whatever a dialect let through:
NaN sorts and rounds to anything, and a negative number survives a floor.
"""

from typing import Final

from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Vector

_EXCESS: Final = 1e-3
"""How far above certainty a model server's float arithmetic may end."""


def check_probabilities(values: Vector) -> None:
    """Raise UpstreamError where one of the values, shape (classes,), is no probability."""
    if values.size and not (values.min() >= 0.0 and values.max() <= 1.0 + _EXCESS):
        raise UpstreamError("a probability is not within [0, 1]")


def check_logprobs(logprobs: Logprobs) -> None:
    """Raise UpstreamError where one of the tokens has no natural log of a probability."""
    for token in (logprobs.chosen, *logprobs.alternatives):
        if not float("-inf") < token.logprob <= _EXCESS:
            raise UpstreamError("a log probability is not finite, or above 0")
