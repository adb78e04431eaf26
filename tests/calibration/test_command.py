"""The command, on a file of traffic."""

import json
import sys
from pathlib import Path

import pytest

from extproc.__main__ import main
from extproc.detectors.calibration import Calibration, open_sealed
from tests.calibration.recording import KEY, record
from tests.test_main import POLICY


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "hmac").write_bytes(KEY)
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("PRINCIPAL", "a" * 64))
    return path


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["extproc", "calibrate", *map(str, arguments)])
    return main()


def test_it_writes_a_calibration_and_says_what_may_be_claimed(
    policy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made: Calibration,
) -> None:
    traffic, into = record(policy.with_name("traffic.jsonl")), policy.with_name("calibration")
    code = _run(monkeypatch, traffic, "--policy", policy, "--into", into, "--output", "json")
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert code == 1, "so few clients bear no claim of 0.1 %"
    assert "0.1% is not claimed" in told["thresholds"]["user"]["claim"]
    assert err.startswith("2,400 queries of 60 clients in 2 traffic classes\n")
    assert open_sealed(into.read_bytes(), KEY) == made, "the same traffic makes the same"
    assert made.thresholds["user"].nats == told["thresholds"]["user"]["nats"]
    assert sorted(each.name for each in policy.parent.iterdir()) == [
        "calibration",
        "hmac",
        "policy.yaml",
        "traffic.jsonl",
    ]


def test_a_bad_line_is_one_sentence_and_the_old_file_stays(
    policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    traffic, into = policy.with_name("traffic.jsonl"), policy.with_name("calibration")
    traffic.write_text('{"client": "a"}\n')
    into.write_bytes(b"old")
    assert _run(monkeypatch, traffic, "--policy", policy, "--into", into) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{traffic}:1: Object missing required field")
    assert err.count("\n") == 1
    assert into.read_bytes() == b"old"


def test_a_file_that_cannot_be_written(
    policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is found out before the work is done."""
    into = policy.parent / "none" / "calibration"
    assert (
        _run(monkeypatch, policy.with_name("none.jsonl"), "--policy", policy, "--into", into) == 4
    )
    assert capsys.readouterr().err.endswith("name a file that can be written\n")
