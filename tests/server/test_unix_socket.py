import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.server.unix_socket import MODE, clear, mode_of_new_sockets
from tests.nobody import as_nobody


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Short: the name of a Unix socket has 107 bytes at most."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return Path("extproc.sock")


def bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def test_a_path_that_is_free_needs_nothing(path: Path) -> None:
    clear(path)
    assert not path.exists()


def test_a_stale_socket_is_removed(path: Path) -> None:
    bound(path).close()
    assert path.exists()
    clear(path)
    assert not path.exists()


def test_a_socket_that_somebody_listens_on_is_left_alone(path: Path) -> None:
    with bound(path) as listener:
        listener.listen()
        with pytest.raises(ConfigError, match="another process listens on"):
            clear(path)
    assert path.exists()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
def test_what_is_not_a_socket_is_never_removed(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    with pytest.raises(ConfigError, match="is not a socket"):
        clear(path)
    assert path.exists()


def test_a_link_to_a_socket_is_not_followed(path: Path) -> None:
    target = Path("other.sock")
    bound(target).close()
    path.symlink_to(target)
    with pytest.raises(ConfigError, match="is not a socket"):
        clear(path)
    assert target.exists()
    assert path.is_symlink()


def test_a_folder_that_is_missing_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="folder gone does not exist"):
        clear(Path("gone") / path)


@pytest.mark.parametrize(
    ("mode", "said"), [(0o600, "cannot be looked at"), (0o555, "cannot be removed")]
)
def test_a_folder_of_others_is_told_of_with_the_remedy(path: Path, mode: int, said: str) -> None:
    folder = Path("run")
    folder.mkdir()
    bound(folder / path).close()
    folder.chmod(mode)
    with as_nobody(), pytest.raises(ConfigError) as caught:
        clear(folder / path)
    assert str(caught.value).startswith(f"listen: {folder / path} {said} (Permission denied); ")
    assert "write to run" in str(caught.value)
    assert "fsGroup" in str(caught.value)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_new_socket_has_its_mode_from_the_start_whatever_the_mask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with mode_of_new_sockets(), bound(path):
            assert stat.S_IMODE(path.lstat().st_mode) == MODE == 0o660
        assert os.umask(umask) == umask
    finally:
        os.umask(before)


def test_the_mask_comes_back_after_a_failure() -> None:
    before = os.umask(0o022)
    try:
        with pytest.raises(OSError, match="no bind"), mode_of_new_sockets():
            raise OSError("no bind")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
