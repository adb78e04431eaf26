"""The queue and its thread: what is added is written, or counted; also by a process that is killed.

A full disk is a limit on the size of files (RLIMIT_FSIZE): the kernel then takes a part of a write,
and fails the next.
"""

import io
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from extproc.audit.verification import Report
from extproc.errors import ConfigError
from extproc.server.audit_log import AuditLog
from extproc.server.record import Records
from tests.audit.logs import START, record
from tests.server.journals import kinds, plan, report, said


def now() -> float:
    return START.timestamp()


def until(condition: Callable[[], object]) -> None:
    """Look again and again, for ten seconds; a thread tells nobody what it has done."""
    never = threading.Event()
    for _ in range(2000):
        if condition():
            return
        never.wait(0.005)
    raise AssertionError("it did not come about")


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def requests(folder: Path) -> list[str]:
    return [line["request"] for line in said(folder) if line["kind"] == "exchange"]


def gaps(found: Report) -> list[tuple[str, int | None]]:
    return [(gap.reason, gap.count) for gap in found.gaps]


def test_what_is_added_is_written_in_order(tmp_path: Path) -> None:
    log = AuditLog(plan(tmp_path), now)
    for number in range(2500):
        log.add(record(number))
    log.close()
    assert requests(tmp_path) == [f"e{number}" for number in range(2500)]
    assert (log.lost, log.written, log.failing) == (0, 2500, False)
    assert report(tmp_path).whole


def test_it_is_written_before_anybody_closes_the_log(tmp_path: Path) -> None:
    log = AuditLog(plan(tmp_path), now, pause=0.001)
    log.add(record(1))
    until(lambda: log.written == 1)
    assert requests(tmp_path) == ["e1"]
    log.close()


def test_files_are_put_away_while_records_come(tmp_path: Path) -> None:
    log = AuditLog(plan(tmp_path, size=100_000, every=1000), now, pause=0.001)
    for number in range(3000):
        log.add(record(number))
    log.close()
    found = report(tmp_path)
    assert found.whole
    assert len(found.files) > 2
    assert found.records == 3000


def test_a_log_that_cannot_be_opened_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        AuditLog(plan(tmp_path / "gone"), now)


# More records than can be written.


@contextmanager
def stalled(folder: Path, **more: object) -> Iterator[AuditLog]:
    """A log whose thread does not look at the queue before it ends."""
    log = AuditLog(plan(folder, **more), now, pause=60.0)
    yield log
    log.close()


def test_a_full_queue_drops_and_the_log_tells_how_many(tmp_path: Path) -> None:
    with stalled(tmp_path, queue=5, refuse=False) as log:
        for number in range(8):
            log.add(record(number))
        assert log.lost == 3
        assert not log.refusing
    assert requests(tmp_path) == [f"e{number}" for number in range(5)]
    found = report(tmp_path)
    assert gaps(found) == [("queue", 3)]
    assert found.whole


def test_a_full_queue_refuses_and_has_room_for_what_runs_already(tmp_path: Path) -> None:
    with stalled(tmp_path, queue=5) as log:
        for number in range(10):
            assert log.refusing == (number >= 5)
            log.add(record(number))
        log.turned_away()
        log.turned_away()
        assert log.lost == 0
        log.add(record(10))
        assert log.lost == 1
    assert len(requests(tmp_path)) == 10
    assert gaps(report(tmp_path)) == [("queue", 1), ("refused", 2)]
    assert report(tmp_path).whole


# A disk that is full.


@pytest.mark.parametrize("refuse", [True, False])
def test_a_full_disk_is_waited_for_and_what_it_cost_is_told(
    tmp_path: Path, *, refuse: bool
) -> None:
    log = AuditLog(plan(tmp_path, queue=10, refuse=refuse, every=1000), now, pause=0.001)
    before = (tmp_path / "audit.jsonl").stat().st_size
    with full_disk(before + 700):
        log.add(record(0))
        log.add(record(1))
        until(lambda: log.failing)
        assert log.refusing == refuse
        for number in range(2, 40):
            log.add(record(number))
        lost = log.lost
        assert lost == (18 if refuse else 28)
        assert (tmp_path / "audit.jsonl").stat().st_size <= before + 700
    until(lambda: not log.failing)
    log.add(record(40))
    log.close()
    assert not log.refusing
    assert requests(tmp_path) == [f"e{number}" for number in [*range(40 - lost), 40]]
    found = report(tmp_path)
    assert gaps(found) == [("queue", lost)]
    assert found.whole


def test_a_disk_that_stays_full_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    log = AuditLog(plan(tmp_path), now, pause=0.001)
    with full_disk((tmp_path / "audit.jsonl").stat().st_size + 10):
        log.add(record(1))
        until(lambda: log.failing)
        log.close()
        assert not log._thread.is_alive()
    assert kinds(tmp_path) == "oc"
    AuditLog(plan(tmp_path), now).close()
    assert gaps(report(tmp_path)) == [("crash", None)]
    assert report(tmp_path).whole


def test_a_bug_in_the_thread_lets_nobody_in_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = AuditLog(plan(tmp_path), now, pause=0.001)

    def broken(*_: object) -> bool:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(log._journal, "write", broken)
    log.add(record(1))
    until(lambda: not log._thread.is_alive())
    assert log.failing
    assert log.refusing
    log.close()
    assert capfd.readouterr() == ("", "")
    log._journal._file.close()


@pytest.mark.parametrize("refuse", [True, False])
def test_what_is_never_written_any_more_is_counted_and_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuse: bool
) -> None:
    sink = io.BytesIO()
    records = Records(sink)
    log = AuditLog(plan(tmp_path, refuse=refuse), now, pause=0.001, records=records)

    def broken(_: object) -> bytes:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(log._journal._chain, "record", broken)
    log.add(record(1))
    until(lambda: not log._thread.is_alive())
    for number in range(2, 5):
        log.add(record(number))
    assert log.lost == 4
    log.close()
    records.close()
    fault, failing = map(orjson.loads, sink.getvalue().splitlines())
    assert (fault["message"], fault["error"]) == ("internal error", "RuntimeError")
    assert failing["message"] == "audit failing"
    assert failing["problem"] == "internal error"
    assert failing["requests"].startswith("refused" if refuse else "served")
    log._journal._file.close()


def test_the_log_says_when_the_disk_takes_nothing_and_when_it_does_again(tmp_path: Path) -> None:
    sink = io.BytesIO()
    records = Records(sink)
    log = AuditLog(plan(tmp_path, queue=2, refuse=False), now, pause=0.001, records=records)
    with full_disk((tmp_path / "audit.jsonl").stat().st_size + 10):
        log.add(record(1))
        until(lambda: log.failing)
        for number in range(2, 7):
            log.add(record(number))
    until(lambda: not log.failing)
    log.close()
    records.close()
    failing, back = map(orjson.loads, sink.getvalue().splitlines())
    assert (failing["level"], failing["problem"]) == ("error", "File too large")
    assert failing["requests"] == "served, and records are dropped when 2 wait"
    assert (back["message"], back["level"], back["lost"]) == ("audit back", "info", 3)


def test_what_the_disk_has_not_taken_when_the_process_ends_is_counted(tmp_path: Path) -> None:
    sink = io.BytesIO()
    records = Records(sink)
    log = AuditLog(plan(tmp_path), now, pause=0.001, records=records)
    with full_disk((tmp_path / "audit.jsonl").stat().st_size + 10):
        for number in range(3):
            log.add(record(number))
        until(lambda: log.failing)
        assert log.lost == 0  # they wait
        log.close()
    records.close()
    assert log.lost == 3
    last = orjson.loads(sink.getvalue().splitlines()[-1])
    assert (last["message"], last["level"], last["lost"]) == ("audit ended", "error", 3)


# Killed.  One process imports all there is, and forks those that are killed.

WRITERS = """
import os, signal, sys, threading
from pathlib import Path
from extproc.server.audit_log import AuditLog
from tests.audit.logs import record
from tests.server.journals import plan

def write(run, told):
    os.write(told, b"%d\\n" % os.getpid())
    log = AuditLog(plan(Path(sys.argv[1]), every=50, size=60_000, keep=10_000), pause=0.0005)
    number = 0
    while True:
        log.add(record(number, model=f"run-{run}"))
        number += 1
        if number % 10 == 0:
            os.write(told, b"%d\\n" % log.written)

for run, _ in enumerate(sys.stdin):
    child = os.fork()
    if not child:
        write(run, 1)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""

KILLS = 100


def check_runs(folder: Path, least: list[int]) -> None:
    """Each run's records are all up to some one, and at least as many as it told of."""
    written = defaultdict(list)
    for each in said(folder):
        if each["kind"] == "exchange":
            written[each["model"]].append(each["request"])
    for run, known in enumerate(least):
        there = written[f"run-{run}"]
        assert there == [f"e{number}" for number in range(len(there))]
        assert len(there) >= known


@pytest.mark.slow
def test_a_writer_that_is_killed_a_hundred_times_loses_its_unwritten_end_and_no_more(
    tmp_path: Path,
) -> None:
    """What was told to be written stands there, and each run's records are all up to some one."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        least = []
        for run in range(KILLS):
            writers.stdin.write("\n")
            writers.stdin.flush()
            child = int(writers.stdout.readline())
            assert child > 1
            told = [int(writers.stdout.readline()) for _ in range(run % 7 * 40)]
            os.kill(child, signal.SIGKILL)
            while (line := writers.stdout.readline()) != "ended\n":
                told.append(int(line))
            least.append(max(told, default=0))
            if run % 3 == 0:  # a write that the power was cut off from: kill -9 rarely tears one
                with (tmp_path / "audit.jsonl").open("ab") as log:
                    log.write(b'{"n":7,"kind":"exch')
        writers.stdin.close()
    AuditLog(plan(tmp_path, size=60_000, keep=10_000), now).close()
    found = report(tmp_path)
    assert [(each.file, each.line, each.what, each.detail) for each in found.findings] == []
    assert {gap.reason for gap in found.gaps} == {"crash"}
    assert {gap.torn for gap in found.gaps} >= {0, 19}
    assert KILLS // 2 < len(found.gaps) <= KILLS
    assert len(found.files) > 3
    check_runs(tmp_path, least)
