"""Tells when a file may be another one, by inotify.

Rule: what is watched are folders, since editors put a new file in the place of the old one, and
Kubernetes swaps a link (``..data``) that the path leads through: of every link on the way the
folder that it stands in, and the folder of the file itself.  It is a hint and no more: some
filesystems tell nothing, so that whoever is told looks, and looks now and then untold.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

_MOST_LINKS: Final = 40
"""As the kernel allows (path_resolution(7))."""
_STEP: Final = 50
"""Milliseconds of silence after which changes are told, and within which a watch ends."""


def steps(path: Path) -> Iterator[Path]:
    """Every name on the way to a file whose change makes it another: links, and at last the file.

    Each in its own folder, which no link leads to.
    """
    rest, here, links = [*reversed(path.absolute().parts[1:])], Path("/"), 0
    while rest:
        part = rest.pop()
        step = here.parent if part == ".." else here / part
        target = _target(step)
        if target is None:
            here = step
            continue
        yield step
        links += 1
        if links > _MOST_LINKS:
            return
        rest += [*reversed(target.parts)]
        if target.is_absolute():
            rest.pop()
            here = Path("/")
    yield here


def _target(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None


def _folders(found: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Those of them that are there."""
    there = {}
    for folder in {step.parent for step in found}:
        with suppress(OSError):
            stat = folder.stat()
            there[folder] = stat.st_dev, stat.st_ino
    return there


class Watcher:
    """Calls ``changed`` when one of the files that it follows may have."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._names: frozenset[str] = frozenset()
        self._folders: Mapping[Path, tuple[int, int]] = {}
        """Device and inode of each: another one may have come in its place."""
        self._watching: asyncio.Task[None] | None = None

    async def follow(self, paths: Iterable[Path]) -> bool:
        """Follow these and no others; whether a change could have been missed, since the watch
        began anew.
        """
        found = {step for path in paths for step in steps(path)}
        self._names = frozenset(map(str, found))
        folders = _folders(found)
        if folders == self._folders and self._watching is not None and not self._watching.done():
            return False
        await self.close()
        self._folders = folders
        self._watching = asyncio.create_task(self._watch())
        await asyncio.sleep(0)  # from here on it is told
        return True

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    async def _watch(self) -> None:
        """Where the system has no means for it, nothing is told."""
        with suppress(OSError, WatchfilesRustInternalError):
            async for _ in awatch(
                *self._folders,
                watch_filter=self._concerns,
                step=_STEP,
                recursive=False,
                ignore_permission_denied=True,
            ):
                self._changed()

    def _concerns(self, _: Change, path: str) -> bool:
        return path in self._names
