"""Observations in pieces of bounded work: many small ones together, a large one cut up.

Rule: the features of the pieces, joined, are those of the whole: each input's are its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from extproc.detectors.features import Features
from extproc.detectors.observation import Observation

INPUTS: Final = 64
"""Of one piece."""
UNITS: Final = 8192
"""Of work of one, each about that of a letter in ASCII, or of a number: a tenth of a microsecond of
a fast core."""
_LETTER: Final = 4
"""Units that any other letter takes."""
_NUMBER: Final = 8
"""Those that a number takes which may be of any length."""
_PART: Final = 16
"""Those that a text, an array, an object or an input takes, whatever is in it."""
_DEEP: Final = 16
"""Levels that are looked into."""
_SCALARS: Final = frozenset({int, float, bool, type(None)})
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
    """How much work it is, about; of much no more than that it is too much for one piece."""
    work = 0
    for value in observation.inputs:
        work += _units(value)
        if work > UNITS:
            break
    return work


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


def _units(value: Any, depth: int = _DEEP) -> int:
    """Of an excerpt, which has no more than some thousand characters and parts."""
    match value:
        case str():
            return _PART + len(value) * (1 if value.isascii() else _LETTER)
        case bytes():
            return _PART + len(value) // 8
        case list() | tuple():
            kinds = set(map(type, value))
            if kinds <= _SCALARS:
                return _PART + len(value) * (1 if kinds == {float} else _NUMBER)
            items = [*value]
        case dict():
            items = [*value, *value.values()]
        case _:
            return _PART
    return _PART + sum(_units(item, depth - 1) for item in items) if depth else UNITS
