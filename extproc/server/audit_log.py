"""The audit log as the request's path sees it: a bounded queue, and a thread that writes.

Rule: adding a record never waits and never fails.  Where records cannot be written, because the
disk does not take them or not as fast as they come, the policy chooses: refuse requests until they
can (those that run already still have room for their records, as much again as the queue has), or
drop records.  Either way the log tells how many, as soon as it can be written again.
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
    ) -> None:
        self._plan, self._wall, self._pause = plan, wall, pause
        self._journal = Journal(plan, wall)
        self._queue: deque[Told] = deque()
        self._most = 2 * plan.queue if plan.refuse else plan.queue
        self._closing = threading.Event()
        self.failing = False
        """Whether the disk does not take what is written."""
        self.lost = 0
        """Records that found no place in the queue."""
        self.refused = 0
        """Requests that were turned away."""
        self.left_out = 0
        """Records that were offered, and found half of the queue taken."""
        self._told_lost = self._told_refused = self._told_left_out = 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def written(self) -> int:
        """Records that stand in the file."""
        return self._journal.written

    @property
    def refusing(self) -> bool:
        """Whether requests are to be refused now."""
        return self._plan.refuse and (self.failing or len(self._queue) >= self._plan.queue)

    def add(self, record: Told) -> None:
        """Queue a record, or what else the log is told; its mappings must not change any more."""
        if len(self._queue) >= self._most:
            self.lost += 1
            return
        self._queue.append(record)

    def offer(self, record: Told) -> None:
        """Queue what requests are not to be refused for: only while half of the queue is free."""
        if 2 * len(self._queue) >= self._plan.queue:
            self.left_out += 1
            return
        self._queue.append(record)

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
        except Exception:  # noqa: BLE001 - its words may hold a value
            self.failing = True  # for ever: nothing is written any more

    def _turn(self) -> None:
        """Write all there is, unless the disk does not take it."""
        self.failing = not (self._journal.flush() and self._write_all() and self._journal.tick())

    def _write_all(self) -> bool:
        while True:
            records = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            gaps = self._gaps()
            if not records and not gaps:
                return True
            if not (self._journal.write([*records, *gaps]) and self._journal.tick()):
                return False

    def _gaps(self) -> list[Gap]:
        """What was lost since it was last told.

        Each count is written by one thread, and what is told of it by the other.
        """
        lost, refused = self.lost - self._told_lost, self.refused - self._told_refused
        left_out = self.left_out - self._told_left_out
        self._told_lost += lost
        self._told_refused += refused
        self._told_left_out += left_out
        now = datetime.fromtimestamp(self._wall(), UTC)
        gaps = [Gap(now, "queue", lost), Gap(now, "refused", refused), Gap(now, "seen", left_out)]
        return [gap for gap in gaps if gap.count]
