"""The vault of marks as the request's path sees it: a bounded queue, and a thread that seals.

Rule: whether an answer is marked hangs on the key alone, never on whether it can be recorded: one
that was marked at one time and not at another would show where marks are.  So adding never waits
and never fails.  What found no place, or could not be written, is counted, and comes again with
the next answer about its cell; only what the vault holds is committed to in the audit log.
"""

import fcntl
import os
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from extproc.audit import Marked
from extproc.config import VaultPlan
from extproc.errors import ConfigError
from extproc.marks.entry import INFO, SUITE, Entry, Line, commitment
from extproc.marks.marking import Finding
from extproc.server.answered import Answered

PAUSE: Final = 0.1
"""Seconds between two looks at the queue; see server/record.py."""
PATIENCE: Final = 5.0
"""Seconds that the end waits for a disk that does not answer."""
KNOWN: Final = 1 << 16
"""Cells that are known to be in the vault; of others an entry may be there twice."""
WAITING: Final = 32 << 20
"""Octets that may wait to be written, in however many entries."""
_MODE: Final = 0o600
_APPEND: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_PART: Final = 1 << 20
_encode: Final = msgspec.json.Encoder().encode


class Vault:
    """Raise ConfigError where it cannot be opened; ``commit`` says whether there is room."""

    def __init__(
        self, plan: VaultPlan, commit: Callable[[Marked], bool], pause: float = PAUSE
    ) -> None:
        self._plan, self._commit, self._pause = plan, commit, pause
        self._queue: deque[tuple[Answered, Finding]] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()
        """Names of cells that are in the vault, or on their way; the oldest first.  Two threads
        change it, each by calls that are one step: neither goes through it."""
        self._come = self._gone = 0
        """Octets that were queued, and that were taken from the queue."""
        self._looked = 0
        """How many had been refused when the file was last looked at for that."""
        self.refused = 0
        """Entries that found no place in the queue."""
        self.unwritten = 0
        """Entries that found none in the file, or in the audit log."""
        self.entries = 0
        """In the file, when it was last looked at."""
        self._counted = (0, 0)
        """Which file that was, and how many octets of it."""
        try:
            os.close(self._opened())
        except OSError as error:
            wrong = f"ownership.vault: {plan.path} cannot be written ({error.strerror})"
            raise ConfigError(f"{wrong}; its folder must exist and be writable") from error
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vault", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Each of its two counts has one thread that writes it."""
        return self.refused + self.unwritten

    @property
    def waiting(self) -> int:
        """Octets that are queued, or being written; each of two counts has one writer."""
        return self._come - self._gone

    def add(self, answered: Answered, findings: Sequence[Finding]) -> None:
        """Queue what is not known yet."""
        for finding in findings:
            if finding.cell in self._known:
                continue
            if not self._has_room(finding):
                self.refused += 1
                continue
            if len(self._known) >= KNOWN:
                self._known.popitem(last=False)
            self._known[finding.cell] = None
            self._come += _octets(finding)
            self._queue.append((answered, finding))

    def _has_room(self, finding: Finding) -> bool:
        """Embeddings, of which there are many, leave half of all room to other marks."""
        times = 2 if finding.stamp == "embedding" else 1
        return (
            times * len(self._queue) < self._plan.queue
            and times * (self.waiting + _octets(finding)) <= WAITING
            and (times == 1 or times * self.entries < self._plan.entries)
        )

    def close(self) -> None:
        """Write what is queued."""
        self._closing.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        while not self._closing.wait(self._pause):
            self._turn()
        self._turn()

    def _turn(self) -> None:
        waiting = [self._queue.popleft() for _ in range(len(self._queue))]
        if not waiting:
            self._look()
            return
        sealed = [self._sealed(*each) for each in waiting]
        kept = self._written([line for line, _ in sealed])
        for number, (_, marked) in enumerate(sealed):
            if number >= kept or not self._commit(marked):
                self.unwritten += 1
                self._known.pop(marked.cell, None)
        self._gone += sum(_octets(finding) for _, finding in waiting)

    def _look(self) -> None:
        """Whether a file that had no room was moved away, where nothing else comes to find out."""
        if self._looked != self.refused:
            self._looked = self.refused
            self._written(())

    def _sealed(self, answered: Answered, finding: Finding) -> tuple[bytes, Marked]:
        time = datetime.fromtimestamp(answered.time, UTC)
        entry = _encode(
            Entry(
                salt=secrets.token_hex(16),
                time=time.isoformat(timespec="seconds"),
                tenant=answered.tenant,
                cohort=answered.cohort,
                route=answered.route,
                model=answered.model,
                epoch=answered.epoch,
                cell=finding.cell,
                stamp=finding.stamp,
                input=msgspec.Raw(finding.input),
                truth=finding.truth,
                other=finding.other,
                moved=finding.moved,
            )
        )
        line = Line(commitment(entry), SUITE.encrypt(entry, self._plan.recipient, INFO))
        marked = Marked(
            time=time,
            request=answered.request,
            tenant=answered.tenant,
            cohort=answered.cohort,
            route=answered.route,
            model=answered.model,
            cell=finding.cell,
            stamp=finding.stamp,
            commitment=line.commitment,
            policy=answered.policy,
        )
        return _encode(line) + b"\n", marked

    def _written(self, lines: Sequence[bytes]) -> int:
        """How many of them, from the first, are in the file, whole."""
        try:
            descriptor = self._opened()
            try:
                return self._append(descriptor, lines)
            finally:
                os.close(descriptor)
        except OSError:
            return 0

    def _append(self, descriptor: int, lines: Sequence[bytes]) -> int:
        """All of them or none, but for those that are more than the file may hold.

        Replicas of one machine may share a file: each counts while it holds it.
        """
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = self._count(descriptor)
        fitting = lines[: max(0, self._plan.entries - self.entries)]
        torn = size and os.pread(descriptor, 1, size - 1) != b"\n"  # by a crash
        data = b"".join([b"\n" if torn else b"", *fitting])
        try:
            whole = os.write(descriptor, data) == len(data)
        except OSError:
            whole = False
        if not whole:
            os.ftruncate(descriptor, size)
            return 0
        self._count(descriptor)
        return len(fitting)

    def _count(self, descriptor: int) -> int:
        """Look at what was added; how large the file is."""
        found = os.fstat(descriptor)
        file, at = self._counted
        if file != found.st_ino or at > found.st_size:
            self.entries = at = 0
        while part := os.pread(descriptor, _PART, at):
            self.entries += part.count(b"\n")
            at += len(part)
        self._counted = (found.st_ino, at)
        return at

    def _opened(self) -> int:
        """By its path each time: it may have been moved away."""
        return os.open(self._plan.path, _APPEND, _MODE)


def _octets(finding: Finding) -> int:
    return len(finding.input) + (len(finding.moved.vector) if finding.moved is not None else 0)
