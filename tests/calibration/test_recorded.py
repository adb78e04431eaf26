"""What is kept of a traffic file: numbers for each line."""

import json
from pathlib import Path

import numpy as np
import pytest

from extproc.calibration import recorded as module
from extproc.calibration.recorded import Recorded, inputs, read, table
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError
from tests.detectors.questions import KEY, reference


def _silent(_: str) -> None:
    pass


def _read(folder: Path, lines: list[dict[str, object]]) -> Recorded:
    path = folder / "traffic.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return read(path, KEY, _silent)


def _line(client: str, time: float, text: object, traffic: str = "user") -> dict[str, object]:
    return {"client": client, "time": time, "traffic": traffic, "input": text}


def test_clients_classes_and_inputs_are_numbered(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "traffic.jsonl"
    lines = [
        _line("a", 3.0, "Hello, World!"),
        _line("b", 1.0, "hello world", "batch"),
        _line("a", 2.0, "else"),
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    found = read(path, KEY, said.append)
    assert found.index.times.tolist() == [3.0, 1.0, 2.0]
    assert found.index.clients.tolist() == [0, 1, 0]
    assert found.classes == ("user", "batch")
    assert found.index.classes.tolist() == [0, 1, 0]
    digests = found.index.digests
    assert digests[0] == digests[1] != digests[2], "the looks make no other input"
    assert said == ["3 queries of 2 clients in 2 traffic classes"]


def test_digests_are_keyed(tmp_path: Path) -> None:
    found = _read(tmp_path, [_line("a", 1.0, "x")])
    assert read(found.path, b"other" * 8, _silent).index.digests != found.index.digests


def test_inputs_come_by_time(tmp_path: Path) -> None:
    lines = [_line("a", time, f"text {time}") for time in (5.0, 1.0, 4.0, 2.0)]
    found = _read(tmp_path, lines)
    assert inputs(found, np.array([0, 2, 3])) == ["text 2.0", "text 4.0", "text 5.0"]


def test_a_table_has_a_row_for_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    monkeypatch.setattr(module, "_TOLD", 4)
    said: list[str] = []
    sketcher = Sketcher(reference(), KEY)
    lines = [_line("a", float(place), f"what is question {place % 3}") for place in range(7)]
    found = _read(tmp_path, lines)
    made = table(found, np.array([0, 2, 3, 5, 6]), sketcher, said.append)
    assert made.sampled == 5
    assert made.digests[1] == made.digests[3]
    assert len(set(made.digests.tolist())) == 2
    assert (made.cells >= 0).all()
    assert said == ["4 of 5 queries are sketched"]


def test_an_input_that_is_nested_too_deeply_has_its_place(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(70):
        deep = [deep]
    with pytest.raises(ConfigError, match=r"jsonl:2: An input is nested .* Leave the line out"):
        _read(tmp_path, [_line("a", 1.0, "x"), _line("a", 2.0, deep)])


def test_classes_are_bounded(tmp_path: Path) -> None:
    lines = [_line("a", 1.0, "x", f"class-{number}") for number in range(65)]
    with pytest.raises(ConfigError, match="jsonl:65: more than 64 traffic classes; name fewer"):
        _read(tmp_path, lines)
