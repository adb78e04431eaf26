"""What it costs to learn of a query what detectors need: its sketch by a reference of 6,000 points.

Two detectors count and judge it, too: those the reference is for.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Final

import numpy as np

from extproc.canonical import digest
from extproc.detectors.coverage import Coverage
from extproc.detectors.features import Features
from extproc.detectors.fitting import fit
from extproc.detectors.novelty import Novelty
from extproc.detectors.observation import Observation
from extproc.detectors.profile import Layout
from extproc.detectors.sketch import Sketcher
from tests.bench.figures import Figure, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.detectors.questions import KEY, asked, questions

_LEARNED: Final = 10_500
"""Of which 6,000 become points."""
_ASKED: Final = 1_280
_BATCH: Final = 32


def sketching() -> Table:
    reference = fit(questions(_LEARNED, 1), KEY, np.random.default_rng(0))
    knowing, blind = Sketcher(reference, KEY), Sketcher(None, KEY)
    seen = [asked(each, digests=(digest(each),)) for each in questions(_ASKED, 2)]
    batches = [seen[at : at + _BATCH] for at in range(0, _ASKED, _BATCH)]
    layout = Layout([Novelty(), Coverage(reference.shares)])
    scale, batch, alone, unaided, judged = take_turns(
        [
            Work(empty_loop),
            Work(partial(_sketch, knowing, cycle(batches)), per=_BATCH),
            Work(partial(_sketch, knowing, cycle([each] for each in seen))),
            Work(partial(_sketch, blind, cycle(batches)), per=_BATCH),
            Work(partial(_judge, layout, knowing.features(seen)), per=_ASKED),
        ]
    )
    return Table(
        "Sketches of queries",
        "made-up questions of some 50 characters; beside the request, never before its answer",
        (
            Figure(EMPTY_LOOP, "us", scale),
            Figure(f"a query's sketch, {_BATCH} at a time", "us", batch),
            Figure("a query's sketch, alone", "us", alone),
            Figure(f"without a reference, {_BATCH} at a time", "us", unaided),
            Figure("novelty and coverage of a query, counted and judged", "us", judged),
        ),
    )


def _sketch(sketcher: Sketcher, batches: Iterator[Sequence[Observation]]) -> None:
    sketcher.features(next(batches))


def _judge(layout: Layout, features: Sequence[Features]) -> None:
    counters = np.zeros(layout.size, np.float32)
    for each in features:
        layout.count(counters, each, 1.0)
        layout.evidence(counters)
