"""What of an exchange its caller has not asked before: exact repeats are set apart.

Rule: a retry, a poll or a cache that is filled again is no probing; what is asked again counts for
nothing that an input tells.  That there was an exchange counts all the same.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from extproc.detectors.features import Features
from extproc.detectors.profile import Asked, fresh

_OF_QUERIES: Final = (
    "digests",
    "simhashes",
    "cells",
    "surprises",
    "lengths",
    "entropies",
    "scripts",
)
_OF_ANSWERS: Final = ("labels", "margins", "norms")


def unrepeated(asked: Asked, features: Features) -> Features:
    """The same without queries that stand in ``asked``, where the others are marked.

    Of answers those to repeats go where there is one for each query, and all where all are.
    """
    if not features.sampled:
        return features
    found = fresh(asked, features.digests)
    if all(found):
        return features
    once, kept = np.array(found), sum(found)
    left = {name: getattr(features, name)[once] for name in _OF_QUERIES}
    for name in _OF_ANSWERS:
        left[name] = _answers(getattr(features, name), once, kept)
    queries = round(features.queries * kept / features.sampled)
    return replace(features, **left, queries=queries)


def _answers(
    values: npt.NDArray[np.uint8], once: npt.NDArray[np.bool_], kept: int
) -> npt.NDArray[np.uint8]:
    if len(values) == len(once):
        return values[once]
    return values if kept else values[:0]
