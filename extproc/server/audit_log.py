"""The audit log as the request's path sees it: a bounded queue, and a thread that writes.

Rule: adding a record never waits and never fails.  Where records cannot be written, because the
disk does not take them or not as fast as they come, the policy chooses: refuse requests until they
can (those that run already still have room for their records, as much again as the queue has), or
drop records.  Either way the log tells how many, as soon as it can be written again; what it never
can is counted, and the process's own log says what has happened, once.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from extproc.audit.record import Gap, Told
from extproc.config import AuditPlan
from extproc.server.audit_journal import Journal
from extproc.server.record import Records

PAUSE: Final = 0.1
"""Seconds between two looks at the queue; see server/record.py."""
BATCH: Final = 1000
"""Records that are made to lines and written at once."""
PATIENCE: Final = 5.0
"""Seconds that the end waits for a disk that does not answer."""


class AuditLog:
    """Raise ConfigError where the log cannot be opened."""

    def __init__(
        self,
        plan: AuditPlan,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        pause: float = PAUSE,
        records: Records | None = None,
    ) -> None:
        """``records`` are told when it cannot be written, and when it can again."""
        self._plan, self._wall, self._pause, self._records = plan, wall, pause, records
        self._journal = Journal(plan, wall)
        self._queue: deque[Told] = deque()
        self._most = 2 * plan.queue if plan.refuse else plan.queue
        self._closing = threading.Event()
        self.failing = False
        """Whether the disk does not take what is written."""
        self._overflow = self._taken = 0
        """Records that found no place in the queue; and those that were taken from it."""
        self._ended = False
        """Whether nothing is written any more."""
        self.refused = 0
        """Requests that were turned away."""
        self.left_out = 0
        """Records that were offered, and found half of the queue taken."""
        self._told_overflow = self._told_refused = self._told_left_out = 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def written(self) -> int:
        """Records that stand in the file."""
        return self._journal.written

    @property
    def lost(self) -> int:
        """Records that nobody will read."""
        waiting = self._taken - self.written + len(self._queue)
        return self._overflow + (waiting if self._ended else 0)

    @property
    def refusing(self) -> bool:
        """Whether requests are to be refused now."""
        return self._plan.refuse and (self.failing or len(self._queue) >= self._plan.queue)

    def add(self, record: Told) -> None:
        """Queue a record, or what else the log is told; its mappings must not change any more."""
        if self._ended or len(self._queue) >= self._most:
            self._overflow += 1
            return
        self._queue.append(record)

    def offer(self, record: Told) -> None:
        """Queue what requests are not to be refused for: only while half of the queue is free."""
        if 2 * len(self._queue) >= self._plan.queue:
            self.left_out += 1
            return
        self._queue.append(record)

    def hand(self, record: Told) -> bool:
        """Queue a record of another thread, where there is room; what is not queued it counts."""
        if len(self._queue) >= self._most:
            return False
        self._queue.append(record)
        return True

    def turned_away(self) -> None:
        """Count a request that was refused because the log could not be written."""
        self.refused += 1

    def close(self) -> None:
        """Write what is queued, and sign the end."""
        self._closing.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        try:
            while not self._closing.wait(self._pause):
                self._turn()
            self._turn()
            self._journal.close()
        except Exception as error:  # noqa: BLE001 - its words may hold a value
            if self._records is not None:
                self._records.fault(error)
            self._tell("internal error")  # for ever: nothing is written any more
        self._ended = True
        if self._closing.is_set() and self.failing and self._records is not None:
            self._records.add("audit ended", {"lost": self.lost}, "error")

    def _turn(self) -> None:
        """Write all there is, unless the disk does not take it."""
        done = self._journal.flush() and self._write_all() and self._journal.tick()
        self._tell("" if done else self._journal.problem)

    def _tell(self, problem: str) -> None:
        """Whether it cannot be written now, and why."""
        if self.failing == bool(problem):
            return
        self.failing = bool(problem)
        if self._records is None:
            return
        if problem:
            requests = f"served, and records are dropped when {self._plan.queue} wait"
            told = {"problem": problem, "requests": "refused" if self._plan.refuse else requests}
            self._records.add("audit failing", told, "error")
        else:
            self._records.add("audit back", {"lost": self.lost})

    def _write_all(self) -> bool:
        while True:
            records = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._taken += len(records)
            gaps = self._gaps()
            if not records and not gaps:
                return True
            if not (self._journal.write([*records, *gaps]) and self._journal.tick()):
                return False

    def _gaps(self) -> list[Gap]:
        """What was lost since it was last told.

        Each count is written by one thread, and what is told of it by the other.
        """
        lost, refused = self._overflow - self._told_overflow, self.refused - self._told_refused
        left_out = self.left_out - self._told_left_out
        self._told_overflow += lost
        self._told_refused += refused
        self._told_left_out += left_out
        now = datetime.fromtimestamp(self._wall(), UTC)
        gaps = [Gap(now, "queue", lost), Gap(now, "refused", refused), Gap(now, "seen", left_out)]
        return [gap for gap in gaps if gap.count]
