"""``extproc replay``: see extproc/replay/command.py."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from extproc.__main__ import UNUSABLE, main
from extproc.audit import Seen
from extproc.audit.chain import Chain
from extproc.replay import command
from tests.audit.logs import START, lines
from tests.audit.logs import chain as new_chain
from tests.config.example import ENVIRON, TEXT, write
from tests.replay.recorded import record
from tests.replay.watched import learned
from tests.replay.watched import policy as watched_policy


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["extproc", "replay", *map(str, arguments)])
    return main()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    chain = new_chain()
    written: Sequence[bytes] = [
        *lines(chain.opening(START, 100)),
        *(chain.record(record(number)) for number in range(3)),
        chain.record(record(9, model="image-a")),
    ]
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(written))
    return path


def test_it_tells_what_changes(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = write(log.parent, TEXT)
    assert run(monkeypatch, log, "--policy", policy) == 0
    out = capsys.readouterr().out
    assert "3 served at full -> served at standard" in out
    assert "1 served at full -> refused: model_not_found" in out
    assert run(monkeypatch, log, "--policy", policy, "--output", "json") == 0
    (tenant,) = json.loads(capsys.readouterr().out)["tenants"]
    assert (tenant["tenant"], tenant["would"], tenant["lowered"]) == ("acme", 3, 3)


def test_long_work_shows_how_far_it_is(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_TOLD", 2)
    assert run(monkeypatch, log, "--policy", write(log.parent, TEXT)) == 0
    told = capsys.readouterr().err.splitlines()
    assert told == ["2 exchanges, up to 2026-01-31 12:00", "4 exchanges, up to 2026-01-31 12:00"]


def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path / "none", "--policy", write(tmp_path, TEXT)) == UNUSABLE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("none: No such file or directory; name files of an audit log")


def test_where_its_calibration_cannot_be_opened_it_says_so_and_judges_all_else(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = watched_policy(log.parent)
    monkeypatch.delenv("HMAC", raising=False)
    assert run(monkeypatch, log, "--policy", path) == 0
    out = capsys.readouterr().out
    assert "not judged: detection: " in out
    assert "3 served at full -> served at standard" in out


def test_what_was_learned_is_judged_by_the_steps_of_the_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain, path = new_chain(), tmp_path / "audit.jsonl"
    written = [*lines(chain.opening(START, 100))]
    for number, each in enumerate(learned(40, stranger=True)):
        written += [chain.record(record(number)), chain.record(each)]
    path.write_bytes(b"".join(written))
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    assert run(monkeypatch, path, "--policy", watched_policy(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "-> refused: suspected (escalation deny)" in out
    assert "not judged" not in out


def suspected(chain: Chain, **more: Any) -> Iterator[bytes]:
    for number, each in enumerate(learned(40, stranger=True, **more)):
        yield chain.record(record(number))
        yield chain.record(each)


def test_other_thresholds_and_steps_judge_by_what_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain, path = new_chain(), tmp_path / "audit.jsonl"
    path.write_bytes(b"".join([*lines(chain.opening(START, 100)), *suspected(chain)]))
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    told = []
    for threshold in (8.0, 1e6):
        policy = watched_policy(tmp_path, threshold=threshold)
        assert run(monkeypatch, path, "--policy", policy) == 0
        told.append("suspected" in capsys.readouterr().out)
    assert told == [True, False]


def test_a_policy_on_trial_is_judged_as_it_will_be_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain, path = new_chain(), tmp_path / "audit.jsonl"
    path.write_bytes(b"".join([*lines(chain.opening(START, 100)), *suspected(chain)]))
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    policy = watched_policy(tmp_path)
    with policy.open("a") as file:
        file.write("rollout: {mode: shadow}\n")
    assert run(monkeypatch, path, "--policy", policy) == 0
    assert "-> refused: suspected (escalation deny)" in capsys.readouterr().out


@pytest.mark.parametrize(("own", "which"), [(False, "all"), (True, "40 of 80")])
def test_whoever_was_looked_at_by_another_reference_is_not_judged_and_it_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    own: bool,
    which: str,
) -> None:
    chain, path = new_chain(), tmp_path / "audit.jsonl"
    written = [*lines(chain.opening(START, 100)), *suspected(chain, reference="another")]
    written += [*suspected(chain)] if own else []
    path.write_bytes(b"".join(written))
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    policy = watched_policy(tmp_path)
    assert run(monkeypatch, path, "--policy", policy) == 0
    out = capsys.readouterr().out
    why = f"{which} exchanges were looked at by another reference than the policy's"
    assert f"not judged: detection: {why}, and nobody is judged by them" in out
    assert ("suspected" in out) is own
    assert run(monkeypatch, path, "--policy", policy, "--output", "json") == 0
    assert json.loads(capsys.readouterr().out)["unjudged"]["detection"].startswith(why)


def test_features_that_were_never_made_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain, path = new_chain(), tmp_path / "audit.jsonl"
    wrong = Seen(START, "e7", "acme", features={"outcome": "eaten"})
    path.write_bytes(b"".join([*lines(chain.opening(START, 100)), chain.record(wrong)]))
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])
    assert run(monkeypatch, path, "--policy", watched_policy(tmp_path)) == UNUSABLE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("what was learned of request e7 cannot be read: ")
