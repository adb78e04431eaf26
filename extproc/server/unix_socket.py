"""Unix sockets that others connect to: Envoy, and the operator.

Rule: of their mode from the first moment, 0660 unless told otherwise, and never somebody else's
file: only a stale socket, one that nobody listens on, is replaced.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extproc.errors import ConfigError

MODE = 0o660


def clear(path: Path, setting: str = "listen") -> None:
    """Remove a stale socket.  Raise ConfigError where the path is anything else.

    ``setting`` is what names it.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        _require_folder(path, setting)
        return
    except OSError as error:
        raise unusable(path, setting, "cannot be looked at", error) from error
    if not stat.S_ISSOCK(mode):
        raise ConfigError(
            f"{setting}: {path} exists and is not a socket; remove it or choose another"
        )
    if _answers(path):
        raise ConfigError(
            f"{setting}: another process listens on {path}; stop it or choose another"
        )
    try:
        path.unlink()
    except OSError as error:
        raise unusable(path, setting, "cannot be removed", error) from error


def unusable(path: Path, setting: str, what: str, error: OSError) -> ConfigError:
    """What is told of a path whose folder does not let us."""
    remedy = (
        f"let the user that it runs as write to {path.parent}"
        " (in Kubernetes: mount a volume there, and give the pod an fsGroup)"
    )
    return ConfigError(f"{setting}: {path} {what} ({error.strerror}); {remedy}")


@contextmanager
def mode_of_new_sockets(mode: int = MODE) -> Iterator[None]:
    """Sockets bound inside have it from the start, not a moment later."""
    before = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(before)


def _require_folder(path: Path, setting: str) -> None:
    if not path.parent.is_dir():
        raise ConfigError(f"{setting}: the folder {path.parent} does not exist; create it")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
