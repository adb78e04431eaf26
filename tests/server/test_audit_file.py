"""The files, on real disks: also on one that is full."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.server.audit_file import AuditFile, number_of
from tests.audit.logs import written


def filled(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_a_new_log_is_empty_and_for_few_eyes(path: Path) -> None:
    file = AuditFile(path)
    assert file.resume() is None
    assert file.opening() is None
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0
    file.close()


def test_what_is_appended_stands_there(path: Path) -> None:
    file = AuditFile(path)
    file.append(b"one\n", sync=False)
    file.append(b"two\n", sync=True)
    assert path.read_bytes() == b"one\ntwo\n"
    assert file.size == 8
    file.close()


def test_one_process_writes_a_log(path: Path) -> None:
    file = AuditFile(path)
    with pytest.raises(ConfigError, match=f"another process writes {path}; choose another"):
        AuditFile(path)
    file.close()
    AuditFile(path).close()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone/audit.jsonl cannot be written") as error:
        AuditFile(tmp_path / "gone" / "audit.jsonl")
    assert "its folder must exist" in str(error.value)


def test_a_path_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        AuditFile(tmp_path / "audit.jsonl")


# Gone on with.


def test_a_log_that_ended_well_is_gone_on_with(path: Path) -> None:
    [lines] = written(3)
    filled(path, b"".join(lines))
    file = AuditFile(path)
    found = file.resume()
    assert found is not None
    assert (found.tip.number, found.tip.file, found.torn, found.closed) == (len(lines), 1, 0, True)
    file.close()


@pytest.mark.parametrize("torn", [b"x", b"\0" * 5000, b'{"n":9,"kind":"exch', b"x\ny"])
def test_what_is_torn_is_taken_away(path: Path, torn: bytes) -> None:
    [lines] = written(3)
    whole = b"".join(lines)
    filled(path, whole + torn)
    file = AuditFile(path)
    found = file.resume()
    assert found is not None
    assert (found.torn, found.closed) == (len(torn), False)
    assert path.read_bytes() == whole
    file.append(b"more\n", sync=False)
    assert path.read_bytes() == whole + b"more\n"
    file.close()


def test_a_first_line_that_was_torn_is_no_reason_to_stop(path: Path) -> None:
    [lines] = written(1)
    filled(path, lines[0][:40])
    file = AuditFile(path)
    assert file.resume() is None
    assert path.read_bytes() == b""
    file.close()


def test_an_empty_file_continues_the_last_one_that_was_put_away(path: Path) -> None:
    first, second, _ = written(1, 2, 3)
    filled(path.with_name("audit.jsonl.00000001"), b"".join(first))
    filled(path.with_name("audit.jsonl.00000002"), b"".join(second))
    filled(path.with_name("audit.jsonl.bak"), b"")
    for left in (b"", b'{"n":'):
        filled(path, left)
        file = AuditFile(path)
        found = file.resume()
        assert found is not None
        assert found.tip.number == len(first) + len(second)
        assert (found.tip.file, found.torn, found.closed) == (2, len(left), False)
        file.close()


def test_a_file_knows_its_number_although_older_ones_are_gone(path: Path) -> None:
    _, second = written(1, 2)
    filled(path, b"".join(second))
    file = AuditFile(path)
    found = file.resume()
    assert found is not None
    assert found.tip.file == 2
    file.close()


def test_a_file_whose_first_line_was_spoilt_follows_those_that_are_there(path: Path) -> None:
    first, second = written(1, 2)
    filled(path.with_name("audit.jsonl.00000041"), b"".join(first))
    filled(path, b"spoilt\n" + b"".join(second[1:]))
    file = AuditFile(path)
    found = file.resume()
    assert found is not None
    assert found.tip.file == 42
    file.close()


def test_a_file_that_is_no_log_is_left_alone(path: Path) -> None:
    filled(path, b"precious\ndata\n")
    file = AuditFile(path)
    with pytest.raises(ConfigError, match="does not end as an audit log does; verify it, and move"):
        file.resume()
    file.close()
    assert path.read_bytes() == b"precious\ndata\n"


# Rotated.


def test_old_files_are_put_away_and_the_oldest_deleted(path: Path) -> None:
    file = AuditFile(path)
    for number in range(1, 13):
        file.append(b"%d\n" % number, sync=False)
        file.rotate(number, keep=3)
        assert file.size == 0
    file.append(b"now\n", sync=False)
    assert [number_of(old) for old in file.rotated()] == [10, 11, 12]
    assert [old.read_bytes() for old in file.rotated()] == [b"10\n", b"11\n", b"12\n"]
    assert path.read_bytes() == b"now\n"
    file.close()


# A disk that is full: RLIMIT_FSIZE makes writes fail as a full disk does, in part first.

FULL = """
import os, resource, signal, sys
from pathlib import Path
from extproc.server.audit_file import AuditFile

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = AuditFile(Path(sys.argv[1]))
file.append(b"a" * 99 + b"\\n", sync=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        file.append(b"b" * 99 + b"\\n", sync=True)
    except OSError as error:
        print(error.errno, file.size, os.stat(sys.argv[1]).st_size)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.append(b"c" * 99 + b"\\n", sync=False)
"""


def test_a_write_that_fails_leaves_nothing_behind(path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "27 100 100\n" * 2
    assert path.read_bytes() == b"a" * 99 + b"\n" + b"c" * 99 + b"\n"


def test_what_could_not_be_taken_back_is_taken_back_before_the_next_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AuditFile(path)
    file.append(b"one\n", sync=False)

    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", failing)
        broken.setattr(os, "ftruncate", failing)
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output"):
                file.append(b"two\n", sync=True)
    assert path.read_bytes() == b"one\ntwo\n"
    file.append(b"three\n", sync=False)
    assert path.read_bytes() == b"one\nthree\n"
    file.close()
