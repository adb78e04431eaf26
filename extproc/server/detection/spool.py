"""Alerts that wait, as files: what was not delivered when the process ended is, by the next one.

Rules: a file for each alert and receiver, written whole or not at all, and removed when nobody
waits for it any more.  A folder belongs to one process; what stands in it tells no more than the
alert does.  Everything here waits for a disk: it is called in a thread.
"""

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from extproc.errors import ConfigError

MODE: Final = 0o600
LARGEST: Final = 64 << 10
"""Bytes of an alert."""
_NAME: Final = re.compile(r"(\d{20})-([0-9a-f]{32})\.json")


@dataclass(frozen=True, slots=True)
class Kept:
    """One alert, as it was found."""

    made: float
    """Seconds since 1970."""
    identity: str
    body: bytes


class Spool:
    """Of one receiver.  Raise ConfigError where the folder cannot be used."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder / sha256(url.encode()).hexdigest()[:16]
        self._attempts = itertools.count()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            wrong = f"alerts: {folder} cannot be used ({error.strerror})"
            raise ConfigError(f"{wrong}; it must be a folder that is writable") from error

    def left(self, most: int) -> Sequence[Kept]:
        """What was not delivered, the oldest first; what is beyond ``most``, or broken, goes."""
        found = list[Kept]()
        for path in sorted(self._folder.iterdir()):
            named = _NAME.fullmatch(path.name)
            whole = named is not None and path.stat().st_size <= LARGEST
            if named is None or not whole or len(found) == most:
                path.unlink()
                continue
            found.append(Kept(int(named[1]) / 1e6, named[2], path.read_bytes()))
        return found

    def keep(self, alert: Kept) -> None:
        """Raise OSError where the disk does not take it."""
        path = self._path(alert)
        # Of each attempt: one that was cut off may still be writing when the next one begins.
        unfinished = path.with_suffix(f".{next(self._attempts)}.part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(alert.body)
            file.flush()
            os.fsync(descriptor)
        unfinished.replace(path)

    def forget(self, alert: Kept) -> None:
        self._path(alert).unlink(missing_ok=True)

    def _path(self, alert: Kept) -> Path:
        return self._folder / f"{round(alert.made * 1e6):020}-{alert.identity}.json"
