"""Changes of a key file: one after another, whole, and none lost."""

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import structs

from extproc.config.key_changes import append, rewrite
from extproc.config.key_file import MAX_LINE, KeyLine, encoded
from extproc.errors import ConfigError
from tests.config.test_key_file import KEY, keys, written

SECOND, THIRD = (structs.replace(KEY, id=name, prefix=f"xk-{name}") for name in ("k2", "k3"))


def noted(line: KeyLine) -> list[KeyLine]:
    return [structs.replace(line, note="noted")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_key_makes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    append(path, KEY)
    assert path.read_bytes() == encoded(KEY)
    assert mode(path) == 0o600


def test_a_key_is_added_at_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY))
    before = path.stat().st_ino
    append(path, SECOND)
    assert path.read_bytes() == encoded(KEY) + encoded(SECOND)
    assert path.stat().st_ino == before


def test_what_a_crash_left_half_written_is_removed(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY) + encoded(THIRD)[:50])
    append(path, SECOND)
    assert path.read_bytes() == encoded(KEY) + encoded(SECOND)


def test_a_last_line_that_only_lacks_its_end_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY).removesuffix(b"\n"))
    append(path, SECOND)
    assert keys(path) == [KEY, SECOND]


def test_what_is_no_half_of_a_line_is_not_removed(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY) + b"x" * (MAX_LINE + 1))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="its last line is of more than 2048 bytes; remove it"):
        append(path, SECOND)
    assert path.read_bytes() == before


def test_a_change_leaves_the_others_octet_for_octet(tmp_path: Path) -> None:
    spaced = encoded(SECOND).replace(b":", b" : ", 1)
    path = written(tmp_path, encoded(KEY) + spaced + encoded(THIRD).removesuffix(b"\n"))
    path.chmod(0o640)
    rewrite(path, "k1", noted)
    changed = encoded(structs.replace(KEY, note="noted"))
    assert path.read_bytes() == changed + spaced + encoded(THIRD)
    assert mode(path) == 0o640
    rewrite(path, "k3", lambda line: [line, structs.replace(line, id="k4")])
    assert [key.id for key in keys(path)] == ["k1", "k2", "k3", "k4"]
    assert [each.name for each in tmp_path.iterdir()] == ["keys.jsonl"]


def test_what_cannot_be_changed_stays_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY) + encoded(SECOND))
    before = path.read_bytes()

    def refuse(line: KeyLine) -> list[KeyLine]:
        raise ConfigError("no")

    with pytest.raises(ConfigError, match=r"there is no key 'k9'; see: extproc keys list"):
        rewrite(path, "k9", noted)
    with pytest.raises(ConfigError, match=r"^no$"):
        rewrite(path, "k2", refuse)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["keys.jsonl"]


def test_a_change_that_crashed_is_not_in_the_way_of_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY))
    (tmp_path / ".keys.jsonl.new").write_bytes(b"half")
    rewrite(path, "k1", noted)
    assert [key.note for key in keys(path)] == ["noted"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    path = written(tmp_path / "there", encoded(KEY))
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    rewrite(link, "k1", noted)
    append(link, SECOND)
    assert link.is_symlink()
    assert [key.id for key in keys(path)] == ["k1", "k2"]


def test_a_file_that_cannot_be_changed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rewrite(tmp_path / "none", "k1", noted)
    assert str(caught.value).startswith(f"{tmp_path}/none: cannot be changed (No such file")
    with pytest.raises(ConfigError, match=r"cannot be changed \(Is a directory\)"):
        append(tmp_path, KEY)


def test_a_full_disk_loses_nothing_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = written(tmp_path, encoded(KEY)), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:30]))
        with pytest.raises(ConfigError, match=r"cannot be changed \(No space left on device\)"):
            append(path, SECOND)
    assert keys(path) == [KEY]
    append(path, THIRD)
    assert keys(path) == [KEY, THIRD]


def test_changes_at_once_happen_one_after_another(tmp_path: Path) -> None:
    """Of additions and of new files alike, by threads here and processes below."""
    path = written(tmp_path, encoded(KEY))
    added = [structs.replace(KEY, id=f"n{index}") for index in range(40)]

    def change(line: KeyLine) -> None:
        append(path, line)
        rewrite(path, line.id, noted)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, added))
    found = {key.id: key.note for key in keys(path)}
    assert found == {"k1": "", **{line.id: "noted" for line in added}}


ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from msgspec import json, structs
from extproc.config.key_changes import append, rewrite
from extproc.config.key_file import KeyLine
path, number = Path(sys.argv[1]), 0
key = json.decode(sys.argv[3], type=KeyLine)
while True:
    name = f"{sys.argv[2]}{number}"
    append(path, structs.replace(key, id=name))
    print(name, flush=True)
    rewrite(path, name, lambda line: [structs.replace(line, note="noted")])
    print(name, "noted", flush=True)
    number += 1
"""


def test_nothing_that_was_said_to_be_done_is_lost_by_a_crash(tmp_path: Path) -> None:
    """Killed at any moment; what a process told before is there, changed as it said."""
    path = written(tmp_path, encoded(KEY))
    told: dict[str, str] = {"k1": ""}
    for turn in "abcdef":
        command = [sys.executable, "-c", CHILD, str(path), turn, encoded(KEY).decode()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
            assert child.stdout is not None
            heard = [child.stdout.readline() for _ in range(5 + ord(turn) % 4)]
            child.send_signal(signal.SIGKILL)
            heard += child.stdout.readlines()
        for name, *note in map(str.split, heard):
            told[name] = "".join(note)
    found = {key.id: key.note for key in keys(path)}
    assert told.keys() <= found.keys()
    assert [name for name, note in told.items() if note and not found[name]] == []
    assert len(found) <= len(told) + 6
