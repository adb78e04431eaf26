import numpy as np
import pytest

from extproc.redteam.measures.calibration import calibration_error


def test_it_is_the_distance_of_confidence_and_accuracy_by_share() -> None:
    # Two at 0.95 of which one is right, two at 0.55 that are: 0.45 apart, each half of all.
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, False, True, True])
    assert calibration_error(confidence, right) == pytest.approx(0.45)


def test_what_errs_both_ways_within_a_bin_evens_out() -> None:
    confidence, right = np.array([0.5, 0.5]), np.array([True, False])
    assert calibration_error(confidence, right) == 0


def test_a_bin_holds_its_upper_end() -> None:
    # 1/15 is of the first bin, with 0.02; were it of the second, they would not even out.
    confidence = np.array([1 / 15, 1 / 15, 0.02])
    right = np.array([False, False, True])
    assert calibration_error(confidence, right) == pytest.approx(abs(2 / 15 + 0.02 - 1) / 3)


def test_the_ends_of_the_scale_count() -> None:
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    assert calibration_error(np.array([0.0, 1.0]), np.array([True, False])) == 1


def test_without_a_confidence_there_is_no_calibration() -> None:
    with pytest.raises(ValueError, match="nothing was answered"):
        calibration_error(np.zeros(0), np.zeros(0, bool))


def test_there_are_fifteen_bins() -> None:
    # 1/15 lies between them, and no tenth does: in one bin they would even out in part.
    confidence, right = np.array([0.06, 0.08]), np.array([True, False])
    assert calibration_error(confidence, right) == pytest.approx((0.94 + 0.08) / 2)
