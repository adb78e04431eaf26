"""Observations in pieces of bounded work: many small ones together, a large one cut up.

Rule: the features of the pieces, joined, are those of the whole: each input's are its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from extproc.detectors.features import Features
from extproc.detectors.observation import Observation

INPUTS: Final = 16
"""Of one piece."""
UNITS: Final = 8192
"""Characters and numbers of one."""
_NESTED: Final = 256
"""What is taken for an item whose size would have to be counted."""
_ARRAYS: Final = (
    "digests",
    "simhashes",
    "cells",
    "surprises",
    "lengths",
    "entropies",
    "scripts",
)


def units(observation: Observation) -> int:
    """How much work it is, about."""
    return sum(map(_units, observation.inputs))


def pieces(observation: Observation) -> Iterator[Observation]:
    """One after the other; what is no input's stands in the first."""
    inputs, digests = observation.inputs, observation.digests
    rest = observation
    for start, end in _cuts(inputs):
        yield replace(rest, inputs=inputs[start:end], digests=digests[start:end])
        if start == 0:
            rest = replace(observation, labels=(), margins=(), norms=())


def joined(parts: Sequence[Features]) -> Features:
    """The features of an observation, of those of its pieces."""
    first, *others = parts
    if not others:
        return first
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    return replace(first, **whole)


def _cuts(inputs: Sequence[Any]) -> Iterator[tuple[int, int]]:
    start, work = 0, 0
    for place, value in enumerate(inputs):
        more = _units(value)
        if place > start and (place - start >= INPUTS or work + more > UNITS):
            yield start, place
            start, work = place, 0
        work += more
    yield start, len(inputs)


def _units(value: Any) -> int:
    match value:
        case str() | bytes():
            return len(value)
        case list() | tuple() | dict():
            nested = any(isinstance(item, str | list | dict | bytes) for item in value)
            return len(value) * (_NESTED if nested or isinstance(value, dict) else 1)
        case _:
            return 1
