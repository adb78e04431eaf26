"""What benign clients come to by the time they have asked so many queries."""

import math
from collections.abc import Iterator
from functools import partial

import pytest

from extproc.calibration.lives import Watch
from extproc.calibration.usual_evidence import usual_evidence
from extproc.cohorts.usual import CHECKPOINTS
from extproc.detectors.features import Features
from extproc.detectors.profile import Decay, Layout
from tests.calibration.test_lives import Asked, _exchanges

WATCH = Watch(Layout([Asked()]), Decay(3600.0))


def lives(count: int, queries: int) -> list[partial[Iterator[Features]]]:
    return [partial(_exchanges, [1, 1, *range(2, queries + 1)]) for _ in range(count)]


def test_evidence_is_that_of_the_first_exchange_by_which_so_many_were_asked() -> None:
    rows = usual_evidence(WATCH, lives(100, 40)).quantiles["asked"]
    assert [row[0] for row in rows] == pytest.approx([at + 0.05 for at in CHECKPOINTS])


def test_where_too_few_clients_got_so_far_nothing_is_rare() -> None:
    rows = usual_evidence(WATCH, [*lives(100, 8), *lives(99, 40)]).quantiles["asked"]
    assert [row[3] for row in rows] == pytest.approx(
        [1.05, 2.05, 3.05, 4.05, 5.05, 8.05, math.inf, math.inf]
    )


def test_too_few_clients_are_not_enough() -> None:
    with pytest.raises(ValueError, match="99 benign callers are too few"):
        usual_evidence(WATCH, lives(99, 40))
