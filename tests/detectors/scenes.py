"""Exchanges that detectors are shown, and what every detector is to do with them."""

import msgspec
import numpy as np

from extproc.detectors.detector import Counters, Detector
from extproc.detectors.features import (
    KNOBS,
    LABELS,
    MARGINS,
    MODELS,
    NORMS,
    Features,
    Outcome,
    without_inputs,
)

MONDAY = 1_767_571_200.0
"""2026-01-05, midnight UTC."""
DAY = 86_400.0
OUTCOMES: tuple[Outcome, ...] = ("served", "refused", "limited", "failed")


def exchange(time: float = MONDAY, outcome: Outcome = "served", **known: object) -> Features:
    """Of one query unless ``queries`` says otherwise; what is not known of it is empty."""
    arrays = {
        name: np.array(known.pop(name), dtype)
        for name, dtype in (
            ("digests", np.uint64),
            ("simhashes", np.uint64),
            ("labels", np.uint8),
            ("margins", np.uint8),
            ("norms", np.uint8),
        )
        if name in known
    }
    if "simhashes" in arrays:
        arrays.setdefault("digests", np.arange(len(arrays["simhashes"]), dtype=np.uint64))
    plain = msgspec.structs.replace(without_inputs(time, outcome, 1), **known)
    return msgspec.structs.replace(plain, **arrays)


def anything(rng: np.random.Generator) -> Features:
    """An exchange of any kind."""
    size = int(rng.integers(0, 5))
    return exchange(
        MONDAY + float(rng.integers(0, 40 * 86_400)),
        OUTCOMES[int(rng.integers(4))],
        simhashes=rng.integers(0, 1 << 63, size, dtype=np.uint64),
        cells=rng.integers(-1, 16, size).astype(np.int16),
        surprises=rng.integers(0, 64, size).astype(np.float32) / np.float32(16),
        labels=rng.integers(0, LABELS, size),
        margins=rng.integers(0, MARGINS, size),
        norms=rng.integers(0, NORMS, size),
        knobs=int(rng.integers(0, 1 << KNOBS)),
        model=int(rng.integers(0, MODELS)),
        queries=size,
    )


def counted(detector: Detector, exchanges: list[Features], weight: float = 1.0) -> Counters:
    counters = np.zeros(detector.size, np.float32)
    for each in exchanges:
        detector.count(counters, each, weight)
    return counters


def evidence(detector: Detector, exchanges: list[Features]) -> float:
    return float(detector.evidence(counted(detector, exchanges)))


def does_not_depend_on_order(detector: Detector, rng: np.random.Generator) -> None:
    """Nor on which replica saw what, and what has decayed is what would have counted less."""
    exchanges = [anything(rng) for _ in range(40)]
    together = counted(detector, exchanges)
    shuffled = [exchanges[place] for place in rng.permutation(40)]
    parts = counted(detector, shuffled[:17])
    parts += counted(detector, shuffled[17:])
    np.testing.assert_array_equal(together, counted(detector, shuffled))
    np.testing.assert_array_equal(together, parts)
    assert detector.evidence(together) == detector.evidence(parts)
    half = counted(detector, exchanges, 0.5)
    together *= np.float32(0.5)
    np.testing.assert_allclose(half, together, rtol=1e-5)
    assert detector.evidence(half) == detector.evidence(together)


def says_nothing_of_nobody(detector: Detector) -> None:
    """Of an empty profile, and numbers of any whatever is counted."""
    assert detector.evidence(np.zeros(detector.size, np.float32)) == -np.inf
    for size in (1e-30, 1e-6, 0.3, 1e6, 1e12):
        first = np.zeros(detector.size, np.float32)
        first[0] = size
        for counters in (np.full(detector.size, size, np.float32), first):
            assert not np.isnan(detector.evidence(counters))
            assert detector.evidence(counters) < np.inf
