"""The files of an audit log: appended to, found again after a crash, rotated and pruned.

Rules: one process writes a log, which a lock sees to.  A write that fails leaves nothing behind, so
that the next one continues a whole line.  Old files are renamed, never written again.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from extproc.audit.chain import Found, Said, last, read
from extproc.errors import ConfigError

TAIL: Final = 1 << 20
"""Bytes from the end of a file in which its last whole line must be."""
MODE: Final = 0o640
_LEFT_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class AuditFile:
    """Raise ConfigError where the log cannot be opened, OSError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._dirty = False
        """Whether a part of a failed write may stand behind ``size``."""
        try:
            self._lock = self._locked()
            self._descriptor = os.open(path, _LEFT_OPEN, MODE)
        except BlockingIOError as error:
            raise ConfigError(
                f"audit.path: another process writes {path}; choose another"
            ) from error
        except OSError as error:
            wrong = f"audit.path: {path} cannot be written ({error.strerror})"
            raise ConfigError(f"{wrong}; its folder must exist and be writable") from error

    def _locked(self) -> int:
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), _LEFT_OPEN, MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise
        return lock

    def resume(self) -> Found | None:
        """Where the log ends, without what a crash has torn; None where there is none yet.

        The file may be empty: then the log ends in the last of the rotated ones.
        """
        self.size = os.fstat(self._descriptor).st_size
        found, rotated = None, self.rotated()
        if b"\n" in first_line(self.path):
            found = _end(self.path, self._number(rotated))
            torn = found.torn
        else:  # nothing, or not even a whole line
            torn = self.size
            if rotated:
                found = _end(rotated[-1], number_of(rotated[-1]))
        os.ftruncate(self._descriptor, self.size - torn)
        self.size -= torn
        if found is None or not torn:
            return found
        return msgspec.structs.replace(found, torn=torn, closed=False)

    def opening(self) -> Said | None:
        """What the first line of the file that is written says."""
        line = read(first_line(self.path))
        return line.said if line is not None else None

    def _number(self, rotated: Sequence[Path]) -> int:
        opening = self.opening()
        following = number_of(rotated[-1]) + 1 if rotated else 1
        return max(following, opening.file) if opening is not None else following

    def append(self, data: bytes, *, sync: bool) -> None:
        """All of it or none."""
        if self._dirty:
            os.ftruncate(self._descriptor, self.size)
            self._dirty = False
        self._dirty = True
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if sync:
                os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):  # tried again before the next write
                os.ftruncate(self._descriptor, self.size)
            raise
        self._dirty = False
        self.size += len(data)

    def rotate(self, number: int, keep: int) -> None:
        """Put the file away under its number, and begin the next."""
        self.path.replace(self.path.with_name(f"{self.path.name}.{number:08}"))
        descriptor = os.open(self.path, _LEFT_OPEN, MODE)
        os.close(self._descriptor)
        self._descriptor, self.size = descriptor, 0
        for old in self.rotated()[:-keep]:
            old.unlink(missing_ok=True)

    def rotated(self) -> list[Path]:
        """The files that were put away, oldest first."""
        name = re.compile(re.escape(self.path.name) + r"\.\d{8,}")
        beside = [path for path in self.path.parent.iterdir() if name.fullmatch(path.name)]
        return sorted(beside, key=number_of)

    def close(self) -> None:
        os.close(self._descriptor)
        os.close(self._lock)


def number_of(path: Path) -> int:
    """A rotated file's."""
    return int(path.suffix[1:])


def _end(path: Path, file: int) -> Found:
    with path.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL))
        found = last(log.read(), file)
    if found is None:
        wrong = f"audit.path: {path} does not end as an audit log does"
        raise ConfigError(f"{wrong}; verify it, and move it away")
    return found


def first_line(path: Path) -> bytes:
    with path.open("rb") as log:
        return log.readline(TAIL)
