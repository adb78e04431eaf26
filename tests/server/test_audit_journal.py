from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extproc.audit.record import Gap
from extproc.errors import ConfigError
from extproc.server.audit_journal import Journal
from tests.audit.logs import START, at, record
from tests.server.journals import files, kinds, plan, report, said
from tests.server.wire import Clock


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = START.timestamp()
    return clock


@contextmanager
def journal(folder: Path, clock: Clock, **more: Any) -> Iterator[Journal]:
    writing = Journal(plan(folder, **more), clock)
    yield writing
    writing.close()


def test_a_journal_is_opened_written_and_closed(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock) as writing:
        assert writing.write([record(1), record(2)])
        assert writing.written == 2
        assert report(tmp_path, live=True).unsigned == 2
    assert kinds(tmp_path) == "oceec"
    assert report(tmp_path).whole


def test_every_so_many_records_it_is_signed(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock) as writing:
        writing.write(map(record, range(9)))
    assert kinds(tmp_path) == "oc" + "eeeec" * 2 + "ec"
    assert report(tmp_path).whole


def test_so_long_after_a_record_it_is_signed(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock, within=10.0) as writing:
        clock.now += 60
        writing.tick()
        writing.write([record(1)])
        clock.now += 9
        writing.write([record(2)])
        writing.tick()
        assert kinds(tmp_path) == "ocee"
        clock.now += 2
        writing.tick()
        assert kinds(tmp_path) == "oceec"
        writing.tick()
    assert kinds(tmp_path) == "oceecc"


def test_a_clock_that_was_set_back_does_not_keep_it_from_being_signed(
    tmp_path: Path, clock: Clock
) -> None:
    with journal(tmp_path, clock) as writing:
        writing.write([record(1)])
        clock.now -= 3600
        writing.tick()
        assert report(tmp_path, live=True).unsigned == 0


def test_a_file_that_is_large_is_put_away(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock, size=2000, keep=100) as writing:
        for number in range(20):
            writing.write([record(number)])
            writing.tick()
    assert len(files(tmp_path)) > 3
    assert all(1500 < file.stat().st_size < 3000 for file in files(tmp_path)[:-1])
    assert report(tmp_path).whole
    assert report(tmp_path).records == 20


def test_a_file_that_is_old_is_put_away_also_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock, age=60.0) as writing:
        clock.now += 40
        writing.tick()
    with journal(tmp_path, clock, age=60.0) as writing:
        clock.now += 19
        writing.tick()
        assert len(files(tmp_path)) == 1
        clock.now += 1
        writing.tick()
        assert len(files(tmp_path)) == 2
        clock.now += 30
        writing.tick()
        assert len(files(tmp_path)) == 2
    assert report(tmp_path).whole


def test_the_oldest_files_are_deleted_and_the_rest_is_whole(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock, size=1, keep=2) as writing:
        for number in range(6):
            writing.write([record(number)])
            writing.tick()
    assert len(files(tmp_path)) == 3
    found = report(tmp_path)
    assert found.whole
    assert found.first is not None
    assert found.first > 1


def test_gaps_are_told_as_they_are(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock) as writing:
        writing.write([Gap(at(0), "queue", 7)])
    [gap] = report(tmp_path).gaps
    assert (gap.reason, gap.count) == ("queue", 7)


# Runs.


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        with journal(tmp_path, clock) as writing:
            writing.write([record(number)])
    assert kinds(tmp_path) == "oc" + "ec" * 3
    assert report(tmp_path).whole
    assert not report(tmp_path).gaps


def crashed(writing: Journal) -> None:
    """What is left of a process that was killed: open files are closed, and nothing is written."""
    writing._file.close()


@pytest.mark.parametrize("torn", [0, 1, 100])
def test_a_crash_is_told_by_the_next_run(tmp_path: Path, clock: Clock, torn: int) -> None:
    writing = Journal(plan(tmp_path), clock)
    writing.write([record(1), record(2)])
    crashed(writing)
    log = tmp_path / "audit.jsonl"
    log.write_bytes(log.read_bytes() + b'{"n":' + b"x" * torn)
    with journal(tmp_path, clock) as writing:
        assert kinds(tmp_path) == "oceegc"
        writing.write([record(3)])
    found = report(tmp_path)
    assert found.whole
    assert [(gap.reason, gap.count, gap.torn) for gap in found.gaps] == [("crash", None, 5 + torn)]
    assert [line["request"] for line in said(tmp_path) if line["kind"] == "exchange"] == [
        "e1",
        "e2",
        "e3",
    ]


def test_a_crash_between_two_files_is_told_too(tmp_path: Path, clock: Clock) -> None:
    writing = Journal(plan(tmp_path, size=1), clock)
    writing.write([record(1)])
    writing.tick()
    crashed(writing)
    (tmp_path / "audit.jsonl").unlink()
    with journal(tmp_path, clock) as writing:
        writing.write([record(2)])
    found = report(tmp_path)
    assert found.records == 2
    # The two lines of the new file had been written, and are gone.
    assert [gap.reason for gap in found.gaps] == ["crash"]
    assert found.whole


def test_a_second_run_at_one_time_is_refused(tmp_path: Path, clock: Clock) -> None:
    with journal(tmp_path, clock), pytest.raises(ConfigError, match="another process"):
        Journal(plan(tmp_path), clock)


def test_a_log_that_is_none_is_let_go_again(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "audit.jsonl").write_text("precious\n")
    for _ in range(2):  # the second time would find it locked
        with pytest.raises(ConfigError, match="does not end as an audit log"):
            Journal(plan(tmp_path), clock)


# A disk that fails.


def failing(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_the_disk_does_not_take_waits_in_order(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with journal(tmp_path, clock) as writing:
        with monkeypatch.context() as broken:
            broken.setattr(writing._file, "append", failing)
            assert not writing.write([record(1)])
            assert not writing.flush()
        assert writing.written == 0
        assert writing.flush()
        assert writing.written == 1
        writing.write([record(2)])
    assert kinds(tmp_path) == "oceec"
    assert report(tmp_path).whole


def test_a_rotation_that_fails_is_gone_on_with(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with journal(tmp_path, clock, size=1) as writing:
        writing.write([record(1)])
        with monkeypatch.context() as broken:
            broken.setattr(writing._file, "rotate", failing)
            assert not writing.tick()
            assert not writing.flush()
        assert writing.flush()
        writing.write([record(2)])
    assert kinds(tmp_path) == "ocec" + "ocec"
    assert report(tmp_path).whole


def test_a_disk_that_fails_at_the_start_is_told(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extproc.server.audit_file.AuditFile.append", failing)
    with pytest.raises(ConfigError, match="cannot be written; is its disk full"):
        Journal(plan(tmp_path), clock)


def test_a_disk_that_fails_at_the_end_leaves_the_end_open(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Journal(plan(tmp_path), clock)
    monkeypatch.setattr(writing._file, "append", failing)
    writing.write([record(1)])
    assert not writing.close()
    monkeypatch.undo()
    with journal(tmp_path, clock):
        pass
    assert [gap.reason for gap in report(tmp_path).gaps] == ["crash"]


@pytest.mark.parametrize(
    ("when", "expected"), [("always", [True] * 4), ("never", [False] * 4), ("checkpoint", None)]
)
def test_the_disk_is_asked_to_confirm_as_the_policy_says(
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    expected: list[bool] | None,
) -> None:
    writing = Journal(plan(tmp_path, fsync=when), clock)
    asked = []
    append = writing._file.append

    def noted(data: bytes, *, sync: bool) -> None:
        asked.append(sync)
        append(data, sync=sync)

    monkeypatch.setattr(writing._file, "append", noted)
    for number in range(3):
        writing.write([record(number)])
    writing.close()
    assert asked == (expected or [False, False, False, True])
