"""Few real rows made into many: what an attacker does who has a handful of the task's inputs.

Rule: the real rows come first; every other is a mixture of two of them (Zhang et al., 2018,
"mixup: Beyond Empirical Risk Minimization"), and for images shifted by a pixel or none.
"""

import numpy as np

from extproc.redteam.answers import Floats


def expanded(real: Floats, count: int, seed: int, *, side: int | None = None) -> Floats:
    """``count`` rows [count, d], the real ones [N, d] first; ``side`` is an image's, in pixels."""
    rng = np.random.default_rng(seed)
    missing = count - len(real)
    one, other = rng.integers(len(real), size=(2, missing))
    share = rng.beta(0.4, 0.4, (missing, 1))
    mixed = share * real[one] + (1 - share) * real[other]
    if side is not None:
        mixed = shifted(mixed, rng.integers(-1, 2, (missing, 2)), side)
    return np.concatenate([real, mixed])


def shifted(
    images: Floats, by: np.ndarray[tuple[int, int], np.dtype[np.int64]], side: int
) -> Floats:
    """Images [N, side * side] moved down and right by ``by`` [N, 2] of -1, 0 or 1 pixels."""
    framed = np.pad(images.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)))
    rows = np.arange(side) + 1 - by[:, :1]
    columns = np.arange(side) + 1 - by[:, 1:]
    moved: Floats = framed[
        np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None]
    ]
    return moved.reshape(len(images), -1)
