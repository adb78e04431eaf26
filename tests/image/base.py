"""A base image made of this machine: the interpreter that runs the tests, and what its programs
need, so that the image is built without a registry.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import files
from pathlib import Path

from tests.house.rules import pinned

LOCK = Path(__file__).parents[2] / "requirements.lock"
PROGRAMS = ("sh", "chmod", "find", "rm")
"""What the Dockerfile's commands run beside the interpreter."""
UNUSED = (
    "__pycache__",
    "config-*",
    "idlelib",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
    "tkinter",
)


def root_file_system(directory: Path) -> None:
    """Fill a directory with what an image of Python needs to be built upon."""
    library = Path(sysconfig.get_path("stdlib"))
    programs, libraries = directory / "usr/local/bin", directory / "usr/lib"
    for each in (programs, libraries):
        each.mkdir(parents=True)
    for name, target in (("bin", "usr/local/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib")):
        (directory / name).symlink_to(target)
    (directory / "tmp").mkdir()
    (directory / "tmp").chmod(0o1777)
    shutil.copytree(
        library,
        directory / "usr/local/lib" / library.name,
        ignore=shutil.ignore_patterns(*UNUSED),
        symlinks=True,
    )
    found = {name: Path(shutil.which(name) or name) for name in PROGRAMS}
    found["python3"] = Path(sys.base_prefix, "bin/python3").resolve()
    for name, path in found.items():
        shutil.copy(path, programs / name)
    binaries = [*found.values(), *library.rglob("lib-dynload/*.so"), *_extensions()]
    for shared in _needed(binaries):
        shutil.copy(shared, libraries / shared.name)


def _extensions() -> Iterator[Path]:
    """Those of the locked packages, which count on libraries that no interpreter needs."""
    for name, _ in pinned(LOCK):
        yield from (Path(str(each.locate())) for each in files(name) or () if each.suffix == ".so")


def _needed(binaries: Iterable[Path]) -> set[Path]:
    """The shared libraries that these load, and what loads them."""
    told = subprocess.run(
        ["ldd", *map(str, binaries)], capture_output=True, text=True, check=False
    ).stdout
    paths = map(Path, re.findall(r"(?:=> |^\t)(/\S+) \(0x", told, re.MULTILINE))
    return {path for path in paths if "site-packages" not in path.parts}
