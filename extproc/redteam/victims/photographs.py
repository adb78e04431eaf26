"""Small grey squares of the two photographs that scikit-learn bundles, a temple and a flower.

What an attacker has who has pictures, but none of the task.
"""

from functools import cache

import numpy as np
from sklearn.datasets import load_sample_images

from extproc.redteam.answers import Floats


@cache
def patches(count: int, side: int, brightest: float, seed: int) -> Floats:
    """``count`` squares [count, side * side] of different size and place, each stretched to the
    range of 0 to ``brightest``; made once for all victims, and not to be written to.
    """
    rng = np.random.default_rng(seed)
    pictures = [image.mean(axis=2) for image in load_sample_images().images]
    cut = [
        _patch(pictures[each % len(pictures)], side, int(rng.integers(1, 9)), rng)
        for each in range(count)
    ]
    squares = np.array(cut)
    low, high = squares.min(axis=1, keepdims=True), squares.max(axis=1, keepdims=True)
    stretched: Floats = (squares - low) / np.maximum(high - low, 1) * brightest
    stretched.setflags(write=False)
    return stretched


def _patch(picture: Floats, side: int, coarse: int, rng: np.random.Generator) -> Floats:
    """A square whose pixels are ``coarse`` wide, each the mean of as many below it."""
    wide = side * coarse
    top = rng.integers(picture.shape[0] - wide + 1)
    left = rng.integers(picture.shape[1] - wide + 1)
    square = picture[top : top + wide, left : left + wide]
    means: Floats = square.reshape(side, coarse, side, coarse).mean(axis=(1, 3))
    return means.ravel()
