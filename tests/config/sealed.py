"""A reference file that opens, for tests of what a policy makes of one."""

from functools import cache

import numpy as np

from extproc.detectors.calibration import Calibration, Threshold, seal, sketching_key
from extproc.detectors.fitting import fit
from extproc.detectors.reference import encode

THRESHOLD = Threshold(10.0, {}, 3000, 3000, 0, 0.0, 0.001)


def sealed(key: bytes | str, *traffic: str, latest: float = 0.0) -> bytes:
    """Of these kinds of traffic, ``user`` where none is named; ``latest`` makes another one."""
    octets = key.encode() if isinstance(key, str) else key
    kinds = dict.fromkeys(traffic or ("user",), THRESHOLD)
    return seal(Calibration(_reference(octets), 0.5, kinds, latest), octets)


@cache
def _reference(key: bytes) -> bytes:
    """Of what is asked in pairs of numbers."""
    rng = np.random.default_rng(7)
    return encode(fit(rng.normal(size=(1000, 2)).tolist(), sketching_key(key), rng))
