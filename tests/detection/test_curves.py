"""Curves: the share that is flagged after so many queries."""

import numpy as np

from tests.detection.curves import NEVER, bars, flagged


def test_who_was_flagged_once_is_flagged() -> None:
    firsts = np.array([1, 5, 5, NEVER])
    assert flagged(firsts, [1, 4, 5, 10**9]).tolist() == [0.25, 0.25, 0.75, 0.75]


def test_a_curve_is_a_line_of_text() -> None:
    assert bars([0.0, 0.5, 1.0]) == " ▄█"
