"""Changes of a key file: a key added at its end, or the whole file written anew.

Rules: one change at a time, under a lock on the file itself.  What was in the file before is never
lost: an addition is one write at the end, synced before anyone hears of the key; any other change
is a new file, synced and put in the place of the old one (rename(2)), whose mode it keeps.  What a
crash leaves half written at the end is no key, and the next addition removes it.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from extproc.config.diagnosis import shown
from extproc.config.key_file import MAX_LINE, KeyLine, encoded, is_json, read_pieces
from extproc.errors import ConfigError

_MODE: Final = 0o600


def append(path: Path, key: KeyLine) -> None:
    """Add a key; makes the file where there is none.  Raise ConfigError where that cannot be."""
    with _locked(path) as file:
        _mend(path, file)
        line = encoded(key)
        if os.write(file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
        _sync_folder(path.resolve())


def rewrite(path: Path, identity: str, change: Callable[[KeyLine], Sequence[KeyLine]]) -> None:
    """Write what ``change`` makes of one key in its place, and all others octet for octet.

    Raise ConfigError where that cannot be, there is no such key, a line is none, or ``change``
    does; then everything stays as it was.
    """
    with _locked(path, new=False) as file:
        target = path.resolve()
        new = target.with_name(f".{target.name}.new")
        new.unlink(missing_ok=True)  # of a change that crashed: nobody else has the lock
        try:
            with os.fdopen(_private(new), "wb") as written:
                _alike(written.fileno(), os.fstat(file))
                written.writelines(_changed(path, identity, change))
                written.flush()
                os.fsync(written.fileno())
            new.replace(target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync_folder(target)


def _changed(
    path: Path, identity: str, change: Callable[[KeyLine], Sequence[KeyLine]]
) -> Iterator[bytes]:
    found = False
    for piece in read_pieces(path):
        for _, text, key in piece.lines():
            if key.id == identity:
                found = True
                yield from map(encoded, change(key))
            else:
                yield text
    if not found:
        wrong = f"{path}: there is no key {shown(identity)}"
        raise ConfigError(f"{wrong}; see: extproc keys list")


@contextmanager
def _locked(path: Path, *, new: bool = True) -> Iterator[int]:
    """The file, open, of which nobody else changes anything."""
    target = path.resolve()  # a link stays one
    try:
        file = _current(target, os.O_CREAT if new else 0)
        try:
            yield file
        finally:
            os.close(file)  # and the lock is gone
    except OSError as error:
        wrong = f"{path}: cannot be changed ({error.strerror})"
        raise ConfigError(f"{wrong}; change it where it is kept, as who owns it") from error


def _current(path: Path, flags: int) -> int:
    """Wait for the lock; who had it may have put another file in the place of the one we waited
    for.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, _MODE)
        fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)


def _mend(path: Path, file: int) -> None:
    """Have the file end with a whole line, or with nothing."""
    size = os.fstat(file).st_size
    end = os.pread(file, MAX_LINE + 1, max(0, size - MAX_LINE - 1))
    rest = end[end.rfind(b"\n") + 1 :]
    if len(rest) > MAX_LINE:
        raise ConfigError(f"{path}: its last line is of more than {MAX_LINE} bytes; remove it")
    if rest and is_json(rest):
        os.write(file, b"\n")
    elif rest:
        os.ftruncate(file, size - len(rest))


def _alike(file: int, old: os.stat_result) -> None:
    """Whoever could read the old file, and nobody else, can read the new one."""
    os.fchown(file, old.st_uid, old.st_gid)
    os.fchmod(file, stat.S_IMODE(old.st_mode))


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)


def _sync_folder(path: Path) -> None:
    """A new name lasts only once its folder is synced (fsync(2))."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
