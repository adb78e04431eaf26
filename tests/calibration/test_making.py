"""A calibration from a file: learnt, set and tried on parts that have nothing in common."""

import json
import sys
from pathlib import Path

import pytest

from extproc.calibration import forest
from extproc.calibration.lives import Watch
from extproc.calibration.making import calibrate
from extproc.calibration.thresholds import combined
from extproc.detectors.calibration import Calibration, sketching_key
from extproc.detectors.forest import Forest
from extproc.detectors.panel import layout
from extproc.detectors.profile import Decay
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
    assert user.discounts.keys() == set(layout(decode(made.reference), 1.0, WEEK).names)


def test_progress_is_told(made: Calibration, said: list[str]) -> None:
    assert said[0] == "2,400 queries of 60 clients in 2 traffic classes"
    assert said[1].startswith("the calibration has no isolation forest: it takes 50 callers and")
    assert said[2] == "the reference is learnt"
    assert said[3] == f"the floor of novelty is {made.floor}"


def test_a_benign_caller_is_not_suspected_and_a_thief_is(made: Calibration) -> None:
    reference = decode(made.reference)
    check(reference)
    sketcher = Sketcher(reference, sketching_key(KEY))
    watch = Watch(layout(reference, made.floor, WEEK), Decay(WEEK))
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


def test_clients_that_set_no_threshold_grow_a_forest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Calibration
) -> None:
    """Of as few as these traffic has."""
    monkeypatch.setattr(forest, "FEWEST", 2)
    told = list[str]()
    grown = calibrate(record(tmp_path / "traffic.jsonl"), KEY, WEEK, told.append)
    assert "the isolation forest is grown, by 4 clients" in told
    ranks = Forest.load(grown.forest)
    assert ranks.dump() == grown.forest
    names = layout(decode(grown.reference), grown.floor, WEEK, ranks).names
    alone, beside = made.thresholds["user"], grown.thresholds["user"]
    assert tuple(beside.discounts) == names
    assert names[-1] == "isolation"
    assert "isolation" not in alone.discounts
    before = sum(each.set_by for each in made.thresholds.values())
    assert sum(each.set_by for each in grown.thresholds.values()) == before - 4
    assert beside.clients == alone.clients
    assert grown.reference == made.reference


def test_without_scikit_learn_it_says_so_and_all_clients_set_thresholds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forest, "FEWEST", 1)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    told = list[str]()
    made = calibrate(record(tmp_path / "traffic.jsonl", 30), KEY, WEEK, told.append)
    assert made.forest == b""
    assert told[1] == (
        "the calibration has no isolation forest: it takes scikit-learn: pip install "
        "'extproc[detect]'"
    )


def test_where_lives_turn_out_too_short_there_is_no_forest_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All ask the same again: lines enough, and hardly a query."""
    monkeypatch.setattr(forest, "FEWEST", 1)
    path = record(tmp_path / "traffic.jsonl", 30)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines[len(lines) // 2 :]:
        line["input"] = "where is my parcel"
    path.write_text("\n".join(map(json.dumps, lines)))
    told = list[str]()
    made = calibrate(path, KEY, WEEK, told.append)
    assert made.forest == b""
    assert any(line.startswith("the calibration has no isolation forest: it t") for line in told)
    assert "isolation" not in made.thresholds["user"].discounts
