"""An audit log as lines: chained, signed in time, rotated, and gone on with after a crash.

Rule: lines that could not be written wait, and are written before any other; nothing is chained
anew.  One thread uses it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from extproc.audit.chain import Chain
from extproc.audit.record import Gap, Told
from extproc.audit.signature import name
from extproc.config import AuditPlan
from extproc.errors import ConfigError
from extproc.server.audit_file import AuditFile

Wall = Callable[[], float]


class Journal:
    """Raise ConfigError where the log cannot be opened, or is none."""

    def __init__(self, plan: AuditPlan, wall: Wall) -> None:
        self._plan, self._wall = plan, wall
        self.written = 0
        """Records that stand in the file since this process writes it."""
        self.problem = ""
        """Why the disk did not take it, when it was last tried."""
        self._pending = bytearray()
        self._records = 0
        """How many of them are pending."""
        self._signed = False
        """Whether a checkpoint is among what is pending."""
        self._ending = False
        """Whether the file is to be put away once that is written."""
        self._due = self._opened = wall()
        self._file = AuditFile(plan.path)
        try:
            self._chain = self._resumed()
        except (OSError, ConfigError):
            self._file.close()
            raise
        if not self.flush():
            self._file.close()
            wrong = f"audit.path: {plan.path} cannot be written"
            raise ConfigError(f"{wrong}; is its disk full?")

    def _resumed(self) -> Chain:
        found = self._file.resume()
        tip = found.tip if found is not None else None
        chain = Chain(self._plan.key.sign, name(self._plan.key.public_key()), tip)
        now = self._now()
        if not self._file.size:
            self._add(chain.opening(now, self._plan.every), signed=True)
        opening = self._file.opening()
        if opening is not None and opening.time is not None:
            self._opened = opening.time.timestamp()
        if found is not None and not found.closed:
            self._add(chain.gap(Gap(now, "crash", torn=found.torn)))
            self._add(chain.checkpoint(now), signed=True)
        return chain

    def write(self, entries: Iterable[Told | Gap]) -> bool:
        """Add lines, and write them; False where they have to wait for another ``flush``.

        Never called while others wait.
        """
        for entry in entries:
            if isinstance(entry, Gap):
                self._add(self._chain.gap(entry))
                continue
            if not self._chain.unsigned:
                self._due = self._wall() + self._plan.within
            self._add(self._chain.record(entry))
            self._records += 1
            if self._chain.unsigned >= self._plan.every:
                self._sign()
        return self.flush()

    def tick(self) -> bool:
        """Sign and rotate where that is due.  Never called while lines wait."""
        now = self._wall()
        if self._file.size >= self._plan.size or not 0 <= now - self._opened < self._plan.age:
            self._add(self._chain.checkpoint(self._now(), "rotated"), signed=True)
            self._ending = True
        elif self._chain.unsigned and not 0 <= self._due - now <= self._plan.within:
            self._sign()
        return self.flush()

    def flush(self) -> bool:
        """Write what is pending; False where the disk does not take it."""
        try:
            self._put()
            if self._ending:
                self._file.rotate(self._chain.tip.file, self._plan.keep)
                self._ending, self._opened = False, self._wall()
                self._add(self._chain.opening(self._now(), self._plan.every), signed=True)
                self._put()
        except OSError as error:
            self.problem = error.strerror or "it cannot be written"
            return False
        return True

    def close(self) -> bool:
        """Sign the end, unless lines wait that cannot be written."""
        closed = self.flush()
        if closed:
            self._add(self._chain.checkpoint(self._now(), "stopped"), signed=True)
            closed = self.flush()
        self._file.close()
        return closed

    def _put(self) -> None:
        if not self._pending:
            return
        sync = self._plan.fsync == "always" or (self._signed and self._plan.fsync == "checkpoint")
        self._file.append(bytes(self._pending), sync=sync)
        self._pending.clear()
        self._signed = False
        self.written += self._records
        self._records = 0

    def _sign(self) -> None:
        self._add(self._chain.checkpoint(self._now()), signed=True)

    def _add(self, lines: bytes, *, signed: bool = False) -> None:
        self._pending += lines
        self._signed = self._signed or signed

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)
