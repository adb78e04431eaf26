import numpy as np

from extproc.detectors.profile import ASKED
from extproc.escalation import Case
from extproc.server.detection.told import counts, distinct, step
from tests.server.detection.rig import NOW, features, ladder, layout, profiles


def test_an_analyst_is_told_how_much_was_asked() -> None:
    kept = profiles()
    kept.add("a", "a", features(1, 2, 2, 9))
    assert counts(layout(), kept.read("a", NOW)) == {
        "queries": 4,
        "distinct": 3,
        "cells": 2,
        "first": int(NOW),
        "last": int(NOW),
    }
    assert counts(layout(), None) == {}


def test_how_many_were_distinct_is_about_right() -> None:
    draws = np.random.default_rng(1)
    for count in (10, 1000, 3000):
        asked = np.zeros(ASKED, np.uint8)
        for place in draws.integers(0, 8 * ASKED, count):
            asked[place >> 3] |= 1 << (place & 7)
        assert abs(distinct(asked) / count - 1) < 0.05
    assert distinct(np.full(ASKED, 255, np.uint8)) > 8 * ASKED


def test_a_step_has_its_name() -> None:
    steps = ladder((0.5, 60, "throttle"), (0.9, 60, "deny"))
    assert step(steps, Case(step=1)) == "deny"
    assert step(steps, Case()) == ""
    assert step(steps, Case(step=5)) == "", "of another policy"
