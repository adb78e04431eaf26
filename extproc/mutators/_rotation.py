"""A secret rotation of vectors, cheap enough for every answer.

Rule: rotated by one key, vectors keep their lengths and all angles between them.  A rotation is
signs, then stages of a permutation and a rotation of each pair that it makes: Kac's walk, taken by
all components at once (Jain, Pillai, Sah, Sawhney and Smith, "Fast and Memory-Optimal Dimension
Reduction Using Kac's Walk", 2022, on how soon it mixes).  After log2(n) stages every component
depends on every other.  A dense random matrix costs n squared products a vector, these stages
3 n log2(n).

Signs, orders and angles are secret; only sums, products and quotients are computed, elementwise, so
that all machines rotate alike.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw
from extproc.prediction import Vector

_FURTHER: Final = 5
"""Stages beyond those by which every component has met every other; with these an axis is spread
as evenly as by a random matrix."""
_LEAST: Final = 1 / 3
_MOST: Final = 1 / 2
"""Tangents of half an angle of 37 and 53 degrees: near to half a right angle, pairs mix best."""
_KEPT: Final = 32
"""Rotations kept: one for each tenant, model and number of dimensions that is asked for."""
_LARGEST: Final = 4096
"""Dimensions of one that is kept, so that all together stay below 64 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    order: npt.NDArray[np.intp]
    """Shape (dimensions,): component n is paired with component n + dimensions // 2."""
    same: Vector
    """Shape (2, dimensions // 2): cosines, twice."""
    cross: Vector
    """Shape (2, dimensions // 2): sines, one row for each of a pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """Of vectors of so many dimensions."""

    signs: Vector
    stages: tuple[_Stage, ...]

    def turn(self, values: Vector) -> Vector:
        """values, shape (dimensions,), seen from another side."""
        turned = values * self.signs
        for stage in self.stages:
            turned = turned.take(stage.order, mode="clip")  # which checks nothing: all are within
            pairs = turned[: stage.same.size].reshape(2, -1)
            crossed = pairs[::-1] * stage.cross
            pairs *= stage.same
            pairs += crossed
        return turned


def rotation(secret: Draw, dimensions: int) -> Rotation:
    """The rotation of a secret, each number of dimensions having one of its own."""
    of_size = secret.child(b"%d" % dimensions)
    if dimensions > _LARGEST:
        return _drawn(of_size, dimensions)
    return _kept(of_size, dimensions)


def _drawn(secret: Draw, dimensions: int) -> Rotation:
    signs = np.where(secret.child(b"signs").uniform(dimensions) < 0.5, -1.0, 1.0)
    count = (dimensions - 1).bit_length() + _FURTHER if dimensions > 1 else 0
    stages = (_stage(secret.child(b"stage %d" % number), dimensions) for number in range(count))
    return Rotation(signs, tuple(stages))


_kept = lru_cache(maxsize=_KEPT)(_drawn)


def _stage(secret: Draw, dimensions: int) -> _Stage:
    """Angles from the tangents of their halves."""
    order = np.argsort(secret.child(b"order").uniform(dimensions), kind="stable")
    halves = _LEAST + secret.child(b"angles").uniform(dimensions // 2) * (_MOST - _LEAST)
    squares = halves * halves
    cosines, sines = (1.0 - squares) / (1.0 + squares), 2.0 * halves / (1.0 + squares)
    return _Stage(order, np.array([cosines, cosines]), np.array([-sines, sines]))
