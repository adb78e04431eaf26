"""All that detection does with a query, from the exchange that is over to the verdict on its
caller, by a reference of 6,000 points, and how long others wait for it.

The goals are of issue 7 and of CONTRIBUTING: at most 60 microseconds of processor time for a query,
and nothing that has the event loop for more than 5 milliseconds.
"""

import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Final

import numpy as np
from msgspec.structs import replace
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from extproc.canonical import digest
from extproc.cohorts.excess import LEVELS
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.cohorts.usual import CHECKPOINTS, Usual
from extproc.detectors.fitting import fit
from extproc.detectors.observation import EXCERPT, SAMPLE, Observation
from extproc.detectors.panel import layout as layout_of
from extproc.detectors.profile import Decay
from extproc.detectors.sketch import Sketcher
from extproc.server.detection.judge import Judge
from extproc.server.detection.settings import Settings, Terms
from extproc.server.detection.watcher import Watcher
from extproc.server.record import Records
from extproc.stores.profiles import Profiles
from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.detectors.questions import KEY, asked, questions
from tests.detectors.trees import by_chance

_LEARNED: Final = 10_500
_ASKED: Final = 512
_CALLERS: Final = 64
_ROUNDS: Final = 9
_NOW: Final = 1.8e9
_NATS: Final = 60.0
_LETTERS: Final = ((0x61, 0x7B), (0x4E00, 0x9FFF))
"""Latin ones and Chinese characters."""


def watching() -> Table:
    with threadpool_limits(1):  # as `extproc serve` has it
        watcher = _watcher()
        seen = [_seen(question) for question in questions(_ASKED, 2)]
        many = [
            replace(each, principal=f"key:{number % _CALLERS}") for number, each in enumerate(seen)
        ]
        works = [Work(partial(_watched, watcher, part, count(1)), _ASKED) for part in (many, seen)]
        scale, of_many, of_one = take_turns([Work(empty_loop), *works])
        rng = np.random.default_rng(3)
        latin, chinese = (partial(_long, rng, first, end) for first, end in _LETTERS)
        steps = [_longest(watcher, each) for each in (lambda: many[:_CALLERS], latin, chinese)]
    letters = f"the longest step, of {SAMPLE} texts of {EXCERPT:,}"
    return Table(
        "Detection of a query, in whole",
        "made-up questions of some 50 characters; beside the request, never before its answer",
        (
            Figure(EMPTY_LOOP, "us", scale),
            Figure(f"a query, of {_CALLERS} callers in turn", "us", of_many, goal=60),
            Figure("a query, of one caller", "us", of_one, goal=60),
            Figure(f"the longest step, of questions of {_CALLERS} callers", "ms", steps[0], goal=5),
            Figure(f"{letters} Latin letters", "ms", steps[1], goal=5),
            Figure(f"{letters} Chinese characters", "ms", steps[2], goal=5),
        ),
    )


def _watcher() -> Watcher:
    reference = fit(questions(_LEARNED, 1), KEY, np.random.default_rng(0))
    settings = Settings(per="principal", thresholds={"user": _NATS})
    # With a forest as large as `extproc calibrate` grows one.
    layout = layout_of(reference, 0.8, settings.half_life, by_chance(64, 7, 500))
    own = Profiles(layout, Decay(settings.half_life), 1000, draws=np.random.default_rng(1))
    rising = (tuple(map(float, range(1, len(LEVELS) + 1))),) * len(CHECKPOINTS)
    usual = {"user": Usual(dict.fromkeys(layout.names, rising))}
    shares = np.concatenate(reference.shares)
    linker = Linker(Knowledge(layout, shares / shares.sum(), _NATS, usual), KEY, 1000)
    records = Records(io.BytesIO())
    judge = Judge(settings, layout, own.read, lambda *_: Terms(policy="v1"), records, linker)
    return Watcher(settings, own, judge, records, Sketcher(reference, KEY), wall=lambda: _NOW)


def _seen(*inputs: str) -> Observation:
    plain = asked(*inputs, digests=[digest(each) for each in inputs])
    return replace(plain, time=_NOW, labels=(3,), margins=(6,), network="ab12", client="ff01")


def _watched(watcher: Watcher, seen: Sequence[Observation], turns: "count[int]") -> None:
    """Every time as other queries, so that none is a repeat."""
    turn = next(turns).to_bytes(4)
    for each in seen:
        watcher.notice(replace(each, digests=(turn + each.digests[0],)))
    steps = watcher._steps()
    while watcher.inbox.filled.is_set():
        next(steps)
    assert not watcher.faults


def _steps(watcher: Watcher) -> Sequence[float]:
    """Milliseconds of processor time of each."""
    steps, taken = watcher._steps(), []
    while watcher.inbox.filled.is_set():
        began = time.process_time_ns()
        next(steps)
        taken.append((time.process_time_ns() - began) / 1e6)
    return taken


def _long(rng: np.random.Generator, first: int, end: int) -> list[Observation]:
    return [_seen(*("".join(map(chr, rng.integers(first, end, EXCERPT))) for _ in range(SAMPLE)))]


def _longest(watcher: Watcher, seen: Callable[[], Sequence[Observation]]) -> Spread:
    rounds = []
    for _ in range(_ROUNDS):
        for each in seen():
            watcher.notice(each)
        rounds.append(max(_steps(watcher)))
    return Spread.of(rounds)
