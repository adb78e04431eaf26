"""Small pieces of work, timed in turns: the core's speed changes by the second on shared machines.

Rule: CPU time of this process, not time on the wall, so that others on the core are not counted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from timeit import Timer
from typing import Final

from tests.bench.figures import Spread

_ROUNDS: Final = 15
_SECONDS: Final = 0.02
"""A round of one work takes about this long."""

EMPTY_LOOP: Final = "for scale: 1,000 turns of an empty Python loop"


@dataclass(frozen=True, slots=True)
class Work:
    run: Callable[[], object]
    per: int = 1
    """How many of what is asked about one run does."""


def empty_loop() -> None:
    """Tells how fast the core is while other work is timed."""
    for _ in range(1_000):
        pass


def take_turns(works: Sequence[Work]) -> list[Spread]:
    """Microseconds of each, over rounds in which every work has its turn."""
    timers = [Timer(work.run, timer=time.process_time) for work in works]
    numbers = [max(1, int(_SECONDS / max(timer.timeit(1), 1e-9))) for timer in timers]
    rounds = [
        [timer.timeit(number) for timer, number in zip(timers, numbers, strict=True)]
        for _ in range(_ROUNDS)
    ]
    return [
        Spread.of([taken / number / work.per * 1e6 for taken in column])
        for work, number, column in zip(works, numbers, zip(*rounds, strict=True), strict=True)
    ]
