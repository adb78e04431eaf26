"""One line of JSON per exchange, on standard error: ``time`` (RFC 3339, UTC), ``level``,
``message``, and what it is about; ``request_id`` is what the client is told as x-request-id.

Rules: a record holds names, counts and codes; never a credential, a prompt, a vector or a score.
Writing never blocks a request: a thread writes, and when the reader of the log is too slow or gone
records are lost and counted, not queued without bound.
"""

import sys
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal

import orjson

PAUSE = 0.1
"""Seconds between two looks at the queue.  Waking the thread for every record would have it take
the interpreter from the event loop as often."""

Level = Literal["info", "warning", "error"]
"""``warning`` is for what somebody should look at, ``error`` for what does not work."""


class Records:
    """A bounded queue with one writing thread."""

    def __init__(self, sink: BinaryIO | None = None, capacity: int = 10_000) -> None:
        self._sink = sink or sys.stderr.buffer
        self._queue: deque[bytes] = deque()
        self._capacity = capacity
        self._closing = threading.Event()
        self._refused = 0
        self._unwritten = 0
        self._thread = threading.Thread(target=self._write, name="records", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Records that nobody will read; each of its two counts has one thread that writes it."""
        return self._refused + self._unwritten

    def add(self, message: str, fields: Mapping[str, Any], level: Level = "info") -> None:
        """Queue one record; ``fields`` are JSON scalars or mappings of counts."""
        if len(self._queue) >= self._capacity:
            self._refused += 1
            return
        line = {"time": datetime.now(UTC), "level": level, "message": message, **fields}
        self._queue.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def fault(self, error: Exception) -> None:
        """Queue a record of an error nobody expected: its class and place, without its message,
        which may hold a value.
        """
        told = {"error": type(error).__name__, "at": _place(error)}
        self.add("internal error", told, "error")

    def close(self) -> None:
        """Write what is queued and stop; waits two seconds at most for a stalled reader."""
        self._closing.set()
        self._thread.join(timeout=2)

    def _write(self) -> None:
        while not self._closing.wait(PAUSE):
            self._put()
        self._put()

    def _put(self) -> None:
        """If one failed write ended the thread, it would be the end of all records."""
        lines = [self._queue.popleft() for _ in range(len(self._queue))]
        if not lines:
            return
        try:
            self._sink.write(b"".join(lines))
            self._sink.flush()
        except OSError:
            self._unwritten += len(lines)


def _place(error: Exception) -> str:
    """File and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
