"""A calibration from a file: learnt, set and tried on parts that have nothing in common."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from extproc.calibration.lives import Watch
from extproc.calibration.making import Life, calibrate
from extproc.calibration.recorded import OF_QUERIES
from extproc.calibration.thresholds import combined
from extproc.detectors.calibration import Calibration, sketching_key
from extproc.detectors.features import without_inputs
from extproc.detectors.panel import panel
from extproc.detectors.profile import Decay, Layout
from extproc.detectors.reference import check, decode
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError
from tests.calibration.recording import CLIENTS, KEY, WEEK, record
from tests.detectors.questions import asked


def test_classes_have_thresholds_of_clients_that_are_told_apart(
    made: Calibration, said: list[str]
) -> None:
    assert made.thresholds.keys() == {"user", "batch"}
    for each in made.thresholds.values():
        assert 0 < each.set_by + each.clients <= CLIENTS
        assert each.highest > 0.001, "so few clients bear no claim"
    user = made.thresholds["user"]
    assert user.set_by >= 10
    told = f"user: {user.set_by} lives set its threshold, {user.clients} try it"
    assert told in said
    assert user.set_by != user.clients, "so that the test tells which is which"
    assert user.discounts.keys() == Layout(panel(decode(made.reference), 1.0, WEEK)).parts.keys()


def test_progress_is_told(made: Calibration, said: list[str]) -> None:
    assert said[0] == "2,400 queries of 60 clients in 2 traffic classes"
    assert said[1] == "the reference is learnt"
    assert said[2] == f"the floor of novelty is {made.floor}"


def test_a_benign_caller_is_not_suspected_and_a_thief_is(made: Calibration) -> None:
    reference = decode(made.reference)
    check(reference)
    sketcher = Sketcher(reference, sketching_key(KEY))
    watch = Watch(Layout(panel(reference, made.floor, WEEK)), Decay(WEEK))
    stolen = [f"prescribe {at} of statins to patient {at * 7}" for at in range(60)]
    course = watch.course([one for text in stolen for one in sketcher.features([asked(text)])])
    user = made.thresholds["user"]
    thief = combined(watch.names, course, user.discounts)
    assert thief.max() > user.nats > thief[0]


def test_too_little_traffic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text("")
    with pytest.raises(ConfigError, match="jsonl: no traffic; give a line"):
        calibrate(path, KEY, WEEK, lambda _: None)


def test_one_client_alone_gives_nothing_to_learn_from(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    lines = [json.dumps({"client": "a", "time": 1.0, "input": f"{at} of {at}"}) for at in range(9)]
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"jsonl: There is too little to learn from"):
        calibrate(path, KEY, WEEK, lambda _: None)


def test_where_half_came_at_one_moment_nobody_is_left_to_set_a_threshold_by(
    tmp_path: Path,
) -> None:
    path = record(tmp_path / "traffic.jsonl", clients=40)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines[len(lines) // 2 :]:
        line["time"] = 2e9
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ConfigError, match="give more clients, over more time"):
        calibrate(path, KEY, WEEK, lambda _: None)


def test_what_is_not_fresh_makes_no_life_look_better() -> None:
    """A life is looked at without what was learnt from, too."""
    table = without_inputs(0.0, "served", 1)
    rows = np.arange(4)
    features = {name: np.arange(4, dtype=kind) for name, kind in OF_QUERIES.items()}
    table = replace(table, **features)
    whole = Life(table, rows, rows.astype(float), np.ones(4, np.bool_))
    part = Life(table, rows, rows.astype(float), np.array([True, False, True, False]))
    watch = Watch(Layout([]), Decay(WEEK))
    assert len(whole.course(watch)) == 4
    assert len(part.course(watch)) == 4 + 2
    assert [each.digests[0] for each in part.exchanges(part.fresh)] == [0, 2]
    assert [each.time for each in part.exchanges(part.fresh)] == [0.0, 2.0]
