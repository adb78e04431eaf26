import io
import os
import subprocess
import sys
import threading

import orjson

from extproc.server.record import Records


class Blocked(io.BytesIO):
    """A log that nobody reads: the first write never returns until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.released = threading.Event()

    def write(self, data: object, /) -> int:
        self.reached.set()
        self.released.wait(10)
        return super().write(data)  # type: ignore[arg-type]


class Failing(io.BytesIO):
    """A log whose first write fails, as on a pipe that is full and does not block."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = threading.Event()

    def write(self, data: object, /) -> int:
        if not self.failed.is_set():
            self.failed.set()
            raise BlockingIOError
        return super().write(data)  # type: ignore[arg-type]


def lines(sink: io.BytesIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in sink.getvalue().splitlines()]


def test_a_record_is_one_line_with_its_time_and_fields() -> None:
    sink = io.BytesIO()
    records = Records(sink)
    records.add("exchange", {"tenant": "acme\nevil", "dropped": {"*": 2}, "milliseconds": 1.5})
    records.add("not reloaded", {}, "error")
    records.close()
    first, last = lines(sink)
    time = first.pop("time")
    assert isinstance(time, str)
    assert time.endswith("+00:00")
    assert first == {
        "level": "info",
        "message": "exchange",
        "tenant": "acme\nevil",
        "dropped": {"*": 2},
        "milliseconds": 1.5,
    }
    assert (last["level"], last["message"]) == ("error", "not reloaded")
    assert records.lost == 0


def test_a_log_that_nobody_reads_costs_records_and_never_time() -> None:
    sink = Blocked()
    records = Records(sink, capacity=5)
    records.add("first", {})
    assert sink.reached.wait(10)
    for number in range(20):  # each of these would hang if it waited for the log
        records.add("more", {"number": number})
    assert records.lost == 15
    sink.released.set()
    records.close()
    kept = lines(sink)
    assert [line.get("number") for line in kept] == [None, 0, 1, 2, 3, 4]
    assert records.lost == 15


def test_what_was_queued_before_the_end_is_written() -> None:
    sink = io.BytesIO()
    records = Records(sink)
    for number in range(1000):
        records.add("exchange", {"number": number})
    records.close()
    assert [line["number"] for line in lines(sink)] == [*range(1000)]


def test_the_end_does_not_wait_for_ever_for_a_stalled_log() -> None:
    sink = Blocked()
    records = Records(sink)
    records.add("first", {})
    records.close()
    assert records._thread.is_alive()
    sink.released.set()
    records._thread.join(10)
    assert [line["message"] for line in lines(sink)] == ["first"]


def test_a_log_that_fails_loses_its_record_and_not_those_after_it() -> None:
    sink = Failing()
    records = Records(sink)
    records.add("lost", {})
    assert sink.failed.wait(10)
    records.add("kept", {})
    records.close()
    assert [line["message"] for line in lines(sink)] == ["kept"]
    assert records.lost == 1


def test_records_go_to_standard_error() -> None:
    program = "from extproc.server.record import Records; r = Records(); r.add('x', {}); r.close()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env={**os.environ}
    )
    assert done.stdout == b""
    assert orjson.loads(done.stderr)["message"] == "x"
