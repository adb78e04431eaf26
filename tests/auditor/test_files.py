from pathlib import Path

import pytest

from extproc.auditor.files import LONGEST, in_order, lines, public_keys
from extproc.auditor.keys import new_pair
from extproc.errors import ConfigError
from tests.audit.logs import written


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Named so that their names say nothing of their order."""
    paths = [tmp_path / name for name in ("c", "a", "b")]
    for path, content in zip(paths, written(1, 2, 3), strict=True):
        path.write_bytes(b"".join(content))
    return paths


def test_files_are_ordered_by_what_stands_in_them(files: list[Path]) -> None:
    assert in_order(sorted(files)) == files


def test_a_file_that_is_named_twice_counts_once(files: list[Path], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(files[0])
    assert len(in_order([*files, files[1], link])) == 3


def test_files_that_cannot_be_read_come_last(files: list[Path], tmp_path: Path) -> None:
    empty = tmp_path / "0"
    empty.touch()
    assert in_order([empty, *files]) == [*files, empty]


def test_lines_have_their_breaks_and_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\n" + b"x" * LONGEST + b"y\n" + b"torn")
    assert [*map(len, lines(path))] == [4, LONGEST, 2, 4]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone: No such file"):
        in_order([tmp_path / "gone"])


def test_keys_are_known_by_name(tmp_path: Path) -> None:
    private, public = new_pair()
    (tmp_path / "private").write_bytes(private)
    (tmp_path / "public").write_bytes(public)
    (tmp_path / "wrong").write_bytes(b"s3cret")
    assert len(public_keys([tmp_path / "private", tmp_path / "public"])) == 1
    with pytest.raises(ConfigError, match="wrong: no public key in PEM") as error:
        public_keys([tmp_path / "wrong"])
    assert "s3cret" not in str(error.value)
    with pytest.raises(ConfigError, match="gone: No such file"):
        public_keys([tmp_path / "gone"])
