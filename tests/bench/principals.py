"""``python -m tests.bench.principals COUNT``: print the bytes that so many profiles take.

In a process of its own, with as many counters as a profile may have, all of them in use.
"""

import gc
import os
import sys
from pathlib import Path

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.stores.profiles import Profiles

COUNTERS = 740
_NOW = 1.8e9


class Widest:
    name = "widest"
    size = COUNTERS

    def count(self, counters: Tally, features: Features, weight: float) -> None: ...

    def evidence(self, counters: Counters) -> Nats:
        return np.zeros(counters.shape[:-1])


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(count: int) -> None:
    counters, asked = np.ones(COUNTERS, np.float32), np.full(ASKED, 1, np.uint8)
    draws = np.random.default_rng(1)
    before = resident()
    profiles = Profiles(Layout((Widest(),)), Decay(604_800.0), count, draws=draws)
    for number in range(count):
        profiles.merge(f"acme|key:{number:064x}", "acme", counters, asked, _NOW)
    gc.collect()
    assert len(profiles) == count
    print(resident() - before)


if __name__ == "__main__":
    main(int(sys.argv[1]))
