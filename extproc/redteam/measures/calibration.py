"""Whether a model is as often right as it says.

Source: Guo, Pleiss, Sun, Weinberger, 2017, "On Calibration of Modern Neural Networks", section 2:
the expected calibration error over bins of equal width.
"""

from typing import Final

import numpy as np

from extproc.redteam.answers import Bools, Floats

BINS: Final = 15


def calibration_error(confidence: Floats, right: Bools) -> float:
    """Mean distance of confidence and accuracy over 15 bins, by their shares of the N answers.

    ``confidence`` [N] lies in 0 to 1; a bin holds its upper end.  Raise ValueError where N is 0.
    """
    if not len(confidence):
        raise ValueError("nothing was answered with a confidence")
    places = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    sums = np.bincount(places, confidence - right.astype(np.float64), BINS)
    return float(np.abs(sums).sum() / len(confidence))
