"""Lives: whose exchanges they are, and what of them is fresh."""

import numpy as np
from msgspec.structs import replace

from extproc.calibration.life import Life, lives
from extproc.calibration.lives import Watch
from extproc.calibration.parts import SET, TRIED, Index
from extproc.calibration.recorded import OF_QUERIES
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.profile import Decay, Layout
from tests.calibration.recording import WEEK


def test_what_is_not_fresh_makes_no_life_look_better() -> None:
    """A life is looked at without what was learnt from, too."""
    table = without_inputs(0.0, "served", 1)
    rows = np.arange(4)
    features = {name: np.arange(4, dtype=kind) for name, kind in OF_QUERIES.items()}
    table = replace(table, **features)

    def exchange(row: int, time: float) -> Features:
        one = {name: getattr(table, name)[row : row + 1] for name in OF_QUERIES}
        return replace(table, time=time, **one)

    whole = Life(0, exchange, rows, rows.astype(float), np.ones(4, np.bool_))
    part = Life(0, exchange, rows, rows.astype(float), np.array([True, False, True, False]))
    watch = Watch(Layout([]), Decay(WEEK))
    assert len(whole.course(watch)) == 4
    assert len(part.course(watch)) == 4 + 2
    assert [each.digests[0] for each in part.exchanges(part.fresh)] == [0, 2]
    assert [each.time for each in part.exchanges(part.fresh)] == [0.0, 2.0]


def test_a_life_is_of_one_client_in_one_class_and_part_by_time() -> None:
    index = Index(
        times=np.array([5.0, 4.0, 3.0, 2.0, 1.0]),
        clients=np.array([0, 1, 0, 0, 0], np.uint32),
        classes=np.array([0, 0, 1, 0, 0], np.uint8),
        digests=np.arange(5, dtype=np.uint64),
    )
    found = np.array([TRIED, SET, SET, SET, SET], np.int8)
    fresh = np.array([True, True, True, False, True])

    def exchange(row: int, time: float) -> Features:
        return without_inputs(time, "served", row)

    made = lives(index, found, fresh, np.array([0, 1, 3, 4]), exchange)
    assert made.keys() == {(0, SET), (0, TRIED)}
    (later,) = made[0, TRIED]
    assert [(each.time, each.queries) for each in later.exchanges()] == [(5.0, 0)]
    first, second = made[0, SET]
    assert (first.client, second.client) == (0, 1)
    assert [(each.time, each.queries) for each in first.exchanges()] == [(1.0, 3), (2.0, 2)]
    assert [each.time for each in first.exchanges(first.fresh)] == [1.0]
    assert lives(index, found, fresh, np.zeros(0, np.intp), exchange) == {}
