"""The one class that stands for all that are hidden, where a tier tells what they add up to.

Rule: it is called ``other``, stands last, so that the first is still the likeliest class, and is
named where it is above 0, as classes are.  A model that has a class of this name has no answer at
such a tier: callers could not tell the two apart.
"""

from collections.abc import Iterable
from typing import Any, Final

from extproc.errors import UpstreamError
from extproc.prediction import Probabilities

OTHER: Final = "other"


def hidden(after: Probabilities, names: Iterable[Any], place: str) -> float:
    """What is hidden of these classes, as far as it is shown.  Raise UpstreamError where one of
    them is called as that is.
    """
    if after.other is None:
        return 0.0
    if any(name == OTHER for name in names):
        raise UpstreamError(f"{place} has a class called {OTHER}, as what is hidden is")
    return after.other
