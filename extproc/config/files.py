"""The files that a load has read: what has to be watched, and what its version stands for.

Rule: nothing of a configuration is read past this.  A file is looked at before it is read, so that
whatever is written while it is read shows when it is looked at again.
"""

import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import Final

_RACY: Final = 2.0
"""Seconds: a file that was written so shortly before it was looked at may be written again without
its times telling (as in git's index, Documentation/technical/racy-git)."""

Wall = Callable[[], float]


def remedy(error: OSError, otherwise: str) -> str:
    """What helps whoever cannot read a file.  Another file is no help where this one is kept from
    the user that we run as.
    """
    kept = isinstance(error, PermissionError)
    return "let the user that it runs as read it" if kept else otherwise


@dataclass(frozen=True, slots=True)
class _Look:
    """Which file stood there: of another one, or another content, some of this is another."""

    place: tuple[int, ...]
    """Device, inode, size, and times of its last changes; empty where there is none."""
    sure: bool
    """Whether any later change would show in it."""
    regular: bool = True
    """A pipe has nothing to be read again."""


@dataclass(slots=True)
class _Seen:
    """One file, when it was last read."""

    look: _Look
    counted: bool
    most: int | None
    """Bytes that were read at most."""
    digest: bytes = b""
    """Of them; empty where it could not be read."""


class Files:
    """Those of one load, by path."""

    def __init__(
        self,
        wall: Wall = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        self._wall, self._counted = wall, True
        self._seen: dict[Path, _Seen] = {}

    def aside(self) -> "Files":
        """The same, where what is read has no part in the digest."""
        other = Files(self._wall)
        other._counted, other._seen = False, self._seen  # of its own class
        return other

    def clear(self) -> None:
        """Before all is read anew."""
        self._seen.clear()

    @property
    def paths(self) -> Iterable[Path]:
        """Absolute, links and all; also of what could not be read."""
        return [*self._seen]

    def read(self, path: Path, most: int) -> bytes:
        """What a file holds, up to a byte more than ``most``.  Raise OSError."""
        self._note(path, most + 1)
        with path.open("rb") as file:
            content = file.read(most + 1)
        self.found(path, sha256(content).digest())
        return content

    def look(self, path: Path) -> None:
        """Before a file is read by somebody else, who may find no end of it that makes sense."""
        self._note(path, None).digest = _digest(path, None)

    def found(self, path: Path, digest: bytes) -> None:
        """Afterwards: the SHA-256 of what was read."""
        self._seen[path.absolute()].digest = digest

    def _note(self, path: Path, most: int | None) -> _Seen:
        place = path.absolute()
        before = self._seen.get(place)
        counted = self._counted or (before is not None and before.counted)
        seen = self._seen[place] = _Seen(self._look(path), counted, most)
        return seen

    def digest(self) -> bytes:
        """Of the content of all that count, in the order in which they were first read."""
        return b"".join(seen.digest for seen in self._seen.values() if seen.counted)

    def same(self) -> bool:
        """Whether all of them hold what they held.  What stands there now is looked at, and read
        again where that does not tell.
        """
        return all(self._same(path, seen) for path, seen in self._seen.items())

    def _same(self, path: Path, seen: _Seen) -> bool:
        if not seen.look.regular:
            return True
        now = self._look(path)
        if now.place == seen.look.place and seen.look.sure and seen.digest:
            return True
        if not now.regular or _digest(path, seen.most) != seen.digest:
            return False
        seen.look = now  # moved, or touched, and the same
        return True

    def _look(self, path: Path) -> _Look:
        now = self._wall()
        try:
            found = path.stat()
        except OSError:
            return _Look((), sure=False)
        place = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        changed = max(found.st_mtime, found.st_ctime)
        return _Look(place, changed < now - _RACY, stat.S_ISREG(found.st_mode))


def _digest(path: Path, most: int | None) -> bytes:
    """Empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            if most is None:
                return file_digest(file, "sha256").digest()
            return file_digest(BytesIO(file.read(most)), "sha256").digest()
    except OSError:
        return b""
