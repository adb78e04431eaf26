"""A folder of files as kubelet's AtomicWriter keeps it (kubernetes/pkg/volume/util).

Files are links through the link ``..data`` to a folder named by the time; another state of all of
them is another such folder, whose link is renamed over ``..data``.
"""

from collections.abc import Mapping
from itertools import count
from pathlib import Path


class Volume:
    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._times = count(1)
        self.swap(files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def swap(self, files: Mapping[str, str]) -> None:
        """Another state of all files; the one before is removed, as kubelet does in the end."""
        data, temporary = self.folder / "..data", self.folder / "..data_tmp"
        before = data.resolve() if data.exists() else None
        made = self.folder / f"..2026_11_26_10_00_{next(self._times):02}.000000000"
        made.mkdir()
        for name, text in files.items():
            (made / name).write_text(text)
        temporary.symlink_to(made.name)
        temporary.rename(data)
        for old in before.iterdir() if before is not None else ():
            old.unlink()
        if before is not None:
            before.rmdir()
