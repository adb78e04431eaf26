"""How much is done in one slice: as much as it is, of however many callers."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from extproc.canonical import Steps
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, KEY, START, Counted, life, observation

USUAL = usual({"novelty": [[each / 100 for each in range(1000)]] * len(CHECKPOINTS)})
KNOWN = Knowledge(Layout([Counted("novelty")]), BASE, 7.0, {"user": USUAL})
SUBJECTS = 1500
CALLS = 12_000
"""Of functions; a thousand take about a tenth of a millisecond, where they do little."""
SORTED = 1 << 14


def populated() -> Linker:
    """Each shares something with two others, and something with very many."""
    linker = Linker(KNOWN, KEY, SUBJECTS)
    spread = np.arange(1, 2 * SUBJECTS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers = spread.tolist()
    for number in range(SUBJECTS):
        few, crowd = numbers[number // 3], numbers[number % 5]
        seen = observation(START + 900 * (number % 480), few, crowd)
        linker.observe(seen, f"s{number}", (numbers[SUBJECTS + number], few))
        linker.count(seen, f"s{number}", "", "user", life(4, {"novelty": 9.99}))
    return linker


class Work:
    """Counts what is called, and how many numbers are sorted."""

    def __init__(self) -> None:
        self.calls = self.sorted = 0

    def __call__(self, _frame: Any, event: str, _argument: Any) -> None:
        self.calls += event in {"call", "c_call"}

    def sorting(self, function: Any) -> Any:
        def counted(values: Any, *rest: Any, **options: Any) -> Any:
            sized: Sequence[Any] = values[0] if isinstance(values, tuple) else values
            self.sorted += np.size(sized)
            return function(values, *rest, **options)

        return counted


def slices(steps: Steps[None], work: Work) -> Iterator[tuple[int, int]]:
    """The calls and the numbers sorted of each."""
    over = False
    while not over:
        work.calls = work.sorted = 0
        sys.setprofile(work)
        try:
            next(steps)
        except StopIteration:
            over = True
        finally:
            sys.setprofile(None)
        yield work.calls, work.sorted


def test_a_slice_is_as_much_work_as_it_is_of_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    linker, work = populated(), Work()
    for name in ("sort", "argsort", "lexsort", "unique", "partition"):
        monkeypatch.setattr(np, name, work.sorting(getattr(np, name)))
    counters = np.array([3.0], np.float32)
    np.unique(counters)  # what it imports at its first call is no work of a slice
    found = list(slices(linker.rebuild(lambda _: counters), work))
    assert len(linker.cohorts()) == SUBJECTS // 3
    assert linker.judged.suspicions
    assert max(calls for calls, _ in found) < CALLS
    assert max(numbers for _, numbers in found) < SORTED
    assert sum(calls for calls, _ in found) > 10 * CALLS, "all of it is more than a slice"
    assert sum(numbers for _, numbers in found) > 2 * SORTED
