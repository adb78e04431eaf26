"""Builds the image as an operator does, from a base of this machine and without a network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.image.base import root_file_system

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-sbom.lock")
_BASE: Final = "localhost/base"
_BUILT: Final = "localhost/built"
_IMAGE: Final = "localhost/extproc"
_BASEFILE: Final = """\
FROM scratch
COPY . /
# As su and mount are in any base.
RUN chmod 6755 /usr/local/bin/find
"""
_OFFLINE: Final = ("unshare", "--net")
"""Nothing but a loopback interface that is down: what is not in the base does not come."""


class Builder:
    """A store of images of its own, and what is built in it.

    The first stage is built once; both others take it for their context.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels = folder / "wheels"
        self._pip = folder / "pip.conf"
        self._pip.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        self._download()
        self._base()
        self._build(_BUILT, "--target=build")

    def sbom(self) -> Any:
        """The document of the target ``sbom``."""
        out = self._folder / "sbom"
        self._build_upon_first("sbom", "--target=sbom", f"--output=type=local,dest={out}")
        return json.loads((out / "extproc.cdx.json").read_text())

    def image(self) -> tuple[Path, dict[str, Any]]:
        """The image's root file system, and its configuration by the OCI's image specification."""
        self._build_upon_first(_IMAGE, "--build-arg=VERSION=1.2.3", "--build-arg=REVISION=abc")
        told = json.loads(self._buildah("inspect", "--type=image", _IMAGE))
        container = self._buildah("from", "--pull-never", _IMAGE)
        return Path(self._buildah("mount", container)), told["OCIv1"]["config"]

    def _download(self) -> None:
        locks = [f"--requirement={ROOT / lock}" for lock in LOCKS]
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "--no-deps", f"--dest={self._wheels}", *locks)

    def _base(self) -> None:
        base, file = self._folder / "base", self._folder / "Basefile"
        root_file_system(base)
        file.write_text(_BASEFILE)
        where = (f"--tag={_BASE}", f"--file={file}", str(base))
        self._buildah("bud", "--quiet", "--isolation=chroot", *where)

    def _build_upon_first(self, tag: str, *options: str) -> None:
        self._build(tag, f"--build-context=build=container-image://{_BUILT}", *options)

    def _build(self, tag: str, *options: str) -> None:
        given = (
            f"--build-arg=PYTHON_IMAGE={_BASE}",
            f"--secret=id=pip.conf,src={self._pip}",
            f"--volume={self._wheels}:/wheels:ro",
        )
        common = ("--quiet", "--isolation=chroot", f"--tag={tag}", *given)
        self._buildah("bud", *common, *options, str(ROOT))

    def _buildah(self, *arguments: str) -> str:
        store = (f"--root={self._folder / 'store'}", f"--runroot={self._folder / 'run'}")
        command = (*_OFFLINE, "buildah", "--storage-driver=vfs", *store, *arguments)
        return _run(*command).strip()


def _run(*command: str) -> str:
    """Raise AssertionError with what the command said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
