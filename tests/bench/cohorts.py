"""What it costs to find anew who belongs together: the longest slice, and all of them.

Rule: processor time, of as many callers as a replica keeps, each in a group with few others and in
one with very many.
"""

import gc
import time
from typing import Final

import numpy as np

from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import SUBJECTS, Life, Linker
from extproc.cohorts.trail import PERIOD
from extproc.cohorts.usual import CHECKPOINTS, Usual, usual
from extproc.detectors.observation import Observation
from extproc.detectors.profile import Layout
from tests.bench.figures import Figure, Spread

_TIMES: Final = 3
_LIVES: Final = 1000
_START: Final = 4000 * PERIOD
_MIX: Final = 0x9E3779B97F4A7C15


def cohorts(layout: Layout, shares: list[list[float]]) -> tuple[Figure, ...]:
    base = np.concatenate([np.array(each) for each in shares])
    known = Knowledge(layout, base / base.sum(), 10.0, {"user": _usual(layout)})
    linker, counters = _populated(known), np.ones(layout.size, np.float32)
    longest, whole = [], []
    for _ in range(_TIMES):
        slices = _slices(linker, counters)
        longest.append(max(slices) * 1e3)
        whole.append(sum(slices))
    return (
        Figure(
            f"cohorts of {SUBJECTS:,} callers, the longest slice", "ms", Spread.of(longest), goal=5
        ),
        Figure("all slices, once a minute", "s", Spread.of(whole)),
    )


def _usual(layout: Layout) -> Usual:
    told = [[each / 100 for each in range(_LIVES)]] * len(CHECKPOINTS)
    return usual({each.name: told for each in layout.detectors})


def _populated(known: Knowledge) -> Linker:
    linker = Linker(known, b"of a bench, and of nothing else.")
    life = Life(_START, 4, np.ones(known.layout.size, np.float32), {})
    for number in range(SUBJECTS):
        few, crowd, own = ((each * _MIX) % 2**64 for each in (number // 3, number % 20, -number))
        seen = Observation(
            _START + 900 * (number % 480),
            "acme",
            f"key:{number}",
            "POST /v1/classify",
            "m",
            "served",
            1,
            network=f"{few:016x}",
            client=f"{crowd:016x}",
        )
        linker.observe(seen, f"acme|key:{number}", (few, own))
        linker.count(seen, f"acme|key:{number}", "", "user", life)
    return linker


def _slices(linker: Linker, counters: np.ndarray) -> list[float]:
    """The processor time of each, in seconds; without what is let go meanwhile of others."""
    found: list[float] = []
    steps = linker.rebuild(lambda _: counters)
    gc.disable()
    try:
        while True:
            began = time.process_time()
            try:
                next(steps)
            except StopIteration:
                return found
            finally:
                found.append(time.process_time() - began)
    finally:
        gc.enable()
