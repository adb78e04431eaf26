"""What an analyst is told of a caller, beside the evidence."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from extproc.detectors.profile import ASKED, Asked, Layout
from extproc.escalation import Case, Ladder
from extproc.stores.profiles import Profile

CELLS: Final = "coverage"
"""The detector whose counters are cells of the input space."""


def counts(layout: Layout, profile: Profile | None) -> Mapping[str, int]:
    """``queries`` seen by this replica, about how many ``distinct`` ones, how many ``cells`` of the
    input space they fell into, and when they ``first`` and ``last`` came, in seconds since 1970.
    """
    if profile is None:
        return {}
    part = layout.parts.get(CELLS)
    return {
        "queries": profile.queries,
        "distinct": distinct(profile.asked),
        "cells": int(np.count_nonzero(profile.counters[part])) if part is not None else 0,
        "first": int(profile.first),
        "last": int(profile.last),
    }


def distinct(asked: Asked) -> int:
    """How many have set bits, about (linear counting: Whang, Vander-Zanden and Taylor, ACM TODS,
    1990); of those since the bits were set anew.
    """
    bits = ASKED * 8
    free = bits - int.from_bytes(asked.data, "little").bit_count()
    return round(bits * math.log(bits / max(free, 1)))


def step(ladder: Ladder, case: Case) -> str:
    """The name of the step that it stands on; empty for none."""
    return ladder.steps[case.step].name if 0 <= case.step < len(ladder.steps) else ""
