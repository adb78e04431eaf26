"""The image run as a pod of the profile ``restricted`` runs it: a root that nobody can write, the
image's own user, no privilege to be had, and of the host what is mounted.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

USER: Final = 65532
SOCKETS: Final = "run/extproc"
"""What the sidecar may write, beside /tmp."""
POLICY: Final = "etc/extproc/policy"

_MOUNTS: Final = f"""
set -e
root=$1 folder=$2
shift 2
mount --bind "$root" "$root"
mount --bind "$folder" "$root/{SOCKETS}"
mount --bind "$folder" "$root/{POLICY}"
mount -o remount,ro,bind "$root/{POLICY}"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,ro,bind "$root"
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Image:
    """A root file system, and the configuration by the OCI's image specification."""

    root: Path
    config: dict[str, Any]

    def prepare(self) -> None:
        """Make the folders that are mounted on, as what runs containers does."""
        for name in (SOCKETS, POLICY, "proc", "dev"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def command(self, folder: Path, *arguments: str) -> tuple[str, ...]:
        """The image's program with these arguments, or with its own; of the host it sees a folder,
        which becomes its user's.
        """
        return self.program(folder, *self.config["Entrypoint"], *(arguments or self.config["Cmd"]))

    def program(self, folder: Path, *command: str) -> tuple[str, ...]:
        """Any program of the image.  All of this is one process, whose number stays."""
        os.chown(folder, USER, USER)
        return (
            *("unshare", "--mount", "sh", "-c", _MOUNTS, "sh", str(self.root), str(folder)),
            *("env", "-i", *self.config["Env"], _host("setpriv"), "--no-new-privs"),
            *(_host("chroot"), f"--userspec={self.config['User']}", str(self.root), *command),
        )

    def said(self, folder: Path, *command: str) -> str:
        """What a program of the image writes; raise CalledProcessError where it fails."""
        return subprocess.run(
            self.program(folder, *command), stdout=subprocess.PIPE, text=True, check=True
        ).stdout


def _host(program: str) -> str:
    """Where it is on this machine: the image's own PATH holds from there on."""
    path = shutil.which(program)
    assert path is not None
    return path
