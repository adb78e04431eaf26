"""Alerts in files, on a real disk."""

import stat
from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.server.detection.spool import LARGEST, Kept, Spool

URL = "https://receiver.example/hooks/a-secret"


def alert(number: int, body: bytes = b"{}") -> Kept:
    return Kept(1_800_000_000.0 + number / 1000, f"{number:032x}", body)


def test_what_is_kept_is_found_again_in_order(tmp_path: Path) -> None:
    spool, alerts = Spool(tmp_path, URL), [alert(number) for number in range(12)]
    for each in reversed(alerts):
        spool.keep(each)
    spool.forget(alerts[3])
    spool.forget(alerts[3])
    assert Spool(tmp_path, URL).left(100) == [*alerts[:3], *alerts[4:]]


def test_each_receiver_has_its_own_and_no_name_tells_its_url(tmp_path: Path) -> None:
    Spool(tmp_path, URL).keep(alert(1))
    assert Spool(tmp_path, URL + "2").left(100) == []
    assert "secret" not in " ".join(str(path) for path in tmp_path.rglob("*"))


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    Spool(tmp_path / "a" / "b", URL).keep(alert(1))
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_is_torn_strange_too_large_or_too_many_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, URL)
    for number in range(4):
        spool.keep(alert(number))
    spool.keep(alert(9, b"x" * (LARGEST + 1)))
    [folder] = tmp_path.iterdir()
    (folder / "torn.part").write_bytes(b"{")
    (folder / "strange").write_bytes(b"{}")
    assert spool.left(3) == [alert(0), alert(1), alert(2)]
    assert len([*folder.iterdir()]) == 3


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="it must be a folder that is writable"):
        Spool(tmp_path / "file", URL)
