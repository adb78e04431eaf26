"""The command, on a file of traffic."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from extproc.__main__ import main
from extproc.audit import Seen
from extproc.calibration import forest
from extproc.config import compile_detection, load
from extproc.detectors.calibration import Calibration, open_sealed
from extproc.server.detection.calibrated import calibrated
from tests.calibration.logs import policy as logged_policy
from tests.calibration.logs import seen, written
from tests.calibration.recording import KEY, record
from tests.config.example import ENVIRON, TEXT, write
from tests.replay.watched import KEY as HMAC
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


def test_an_audit_log_sets_thresholds_anew_under_the_reference_that_is_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command of docs/detection.md; what it makes is what the policy opens next."""
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    monkeypatch.setattr(forest, "FEWEST", 2)
    half = len(seen()) // 2
    log = written(tmp_path / "audit.jsonl", seen()[:half]), written(tmp_path / "b", seen()[half:])
    path, into = logged_policy(tmp_path), tmp_path / "calibration"
    assert _run(monkeypatch, *log, "--policy", path, "--into", into) == 1
    out, err = capsys.readouterr()
    assert err.startswith("800 exchanges of 40 clients in 1 traffic classes\n")
    assert "the isolation forest is grown, by 5 clients" in err
    assert "0.1% is not claimed, which needs 2,995 clients" in out
    old, new = (open_sealed((tmp_path / name).read_bytes(), HMAC) for name in ("reference", into))
    user = new.thresholds["user"]
    assert new.reference == old.reference
    assert user.set_by + user.clients + 5 == 40
    assert "isolation" in user.discounts
    assert int.from_bytes(new.forest[4:8], "little") == 3, "trees of two, ranks of the others"
    path.write_text(path.read_text().replace("{reference: reference,", "{reference: calibration,"))
    plan = compile_detection(load(path), ENVIRON)
    assert plan is not None
    assert calibrated(plan, HMAC).layout.names[-1] == "isolation"


@pytest.mark.parametrize(
    ("lines", "policy_of", "told"),
    [
        ([seen()[0], replace(seen()[1], reference="x")], logged_policy, "was measured by another"),
        ([], logged_policy, "audit.jsonl: nothing was learned of anybody; give a log with"),
        (seen()[:9], lambda folder: write(folder, TEXT), "the policy has no detection; name the"),
    ],
)
def test_a_log_that_cannot_be_used_is_one_sentence(
    lines: Sequence[Seen],
    policy_of: Callable[[Path], Path],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    log, into = written(tmp_path / "audit.jsonl", lines), tmp_path / "calibration"
    assert _run(monkeypatch, log, "--policy", policy_of(tmp_path), "--into", into) == 4
    last = capsys.readouterr().err.splitlines()[-1]
    assert told in last
    assert not into.exists()


def test_traffic_is_one_file(
    policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [policy.with_name(name) for name in ("a.jsonl", "b.jsonl")]
    for each in files:
        each.write_text('{"client": "a", "time": 1, "input": "x"}\n')
    into = policy.with_name("calibration")
    assert _run(monkeypatch, *files, "--policy", policy, "--into", into) == 4
    assert capsys.readouterr().err.endswith("is no audit log; give one file of traffic\n")
