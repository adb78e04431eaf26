"""The laws of every detector, over random exchanges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.detectors.detector import Detector
from extproc.detectors.panel import panel
from extproc.detectors.profile import Layout
from tests.detectors.questions import reference
from tests.detectors.scenes import anything, counted

ALL = panel(reference(), 0.8, 604_800.0)
EVERY = pytest.mark.parametrize("detector", ALL, ids=[each.name for each in ALL])


@EVERY
@given(st.integers(0, 2**32), st.integers(0, 60), st.sampled_from([1.0, 0.5, 0.25]))
@settings(max_examples=8, deadline=None)
def test_two_halves_of_what_was_seen_add_up_to_the_whole_whatever_has_decayed(
    detector: Detector, seed: int, cut: int, decayed: float
) -> None:
    # Planted: counting a slot of the day once (cadence), or the largest of two counts, fails here.
    rng = np.random.default_rng(seed)
    exchanges = [anything(rng) for _ in range(60)]
    whole = counted(detector, exchanges)
    whole *= np.float32(decayed)
    older = counted(detector, exchanges[:cut])
    older *= np.float32(decayed)
    older += counted(detector, exchanges[cut:][::-1], decayed)
    np.testing.assert_array_equal(older, whole)
    assert detector.evidence(older) == detector.evidence(whole)
    assert (whole >= 0).all()


@EVERY
@given(st.integers(0, 2**32), st.floats(0.0, 1.0))
@settings(max_examples=8, deadline=None)
def test_evidence_hardly_changes_while_little_decays(
    detector: Detector, seed: int, part: float
) -> None:
    """No count that decay leaves between two whole ones makes a leap."""
    rng = np.random.default_rng(seed)
    counters = counted(detector, [anything(rng) for _ in range(int(30 + 200 * part))])
    later = counters * np.float32(0.999)
    assert detector.evidence(later) == pytest.approx(detector.evidence(counters), abs=2.5)


@EVERY
def test_of_many_callers_at_once_evidence_is_that_of_each(detector: Detector) -> None:
    rng = np.random.default_rng(6)
    profiles = []
    for number in (0, 1, 5, 9, 30, 200, 200):
        counters = counted(detector, [anything(rng) for _ in range(number)])
        profiles.append(counters * np.float32(rng.uniform(0.3, 1.0)))
    alone = [float(detector.evidence(each)) for each in profiles]
    assert detector.evidence(np.array(profiles)) == pytest.approx(np.array(alone), abs=1e-9)
    assert detector.evidence(np.zeros((0, detector.size), np.float32)).shape == (0,)


def test_they_fit_a_profile() -> None:
    assert Layout(ALL).size <= 740
