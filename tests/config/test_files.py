"""What was read is known again, however the file was changed since; and so is what was not."""

import errno
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from extproc.config.files import Files

LONG_AGO = 1_700_000_000


def settled(path: Path, text: str) -> Path:
    """A file that nobody has written for long."""
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def later() -> float:
    """A clock by which whatever is written now was written long ago."""
    return 4_000_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return settled(tmp_path / "file", "one")


def test_content_is_read_up_to_a_byte_more_than_there_may_be(path: Path) -> None:
    assert Files().read(path, 3) == b"one"
    assert Files().read(path, 1) == b"on"


def test_the_digest_is_of_all_content_in_its_order(tmp_path: Path) -> None:
    files = Files()
    for name in ("b", "a"):
        files.read(settled(tmp_path / name, name), 10)
    assert files.digest() == sha256(b"b").digest() + sha256(b"a").digest()


def test_what_is_read_aside_is_followed_and_has_no_part_in_it(tmp_path: Path) -> None:
    files, path = Files(), settled(tmp_path / "a", "a")
    files.aside().read(path, 10)
    assert (files.digest(), files.paths) == (b"", [path])
    assert files.same()
    path.write_text("b")
    assert not files.same()


@pytest.mark.parametrize("aside_first", [True, False])
def test_what_counts_once_counts(path: Path, aside_first: bool) -> None:
    files = Files()
    ways = [files.aside(), files]
    for way in ways if aside_first else reversed(ways):
        way.read(path, 10)
    assert files.digest() == sha256(b"one").digest()


def test_a_relative_path_is_followed_as_an_absolute_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    files = Files()
    files.read(Path("file"), 10)
    assert files.paths == [path]


def replaced(path: Path) -> None:
    settled(path.with_name("new"), "two").replace(path)


def removed(path: Path) -> None:
    path.unlink()


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def made_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def written(path: Path) -> None:
    path.write_text("two")


def written_with_its_old_time(path: Path) -> None:
    path.write_text("two")
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.mark.parametrize("clock", [None, later])
@pytest.mark.parametrize(
    "change",
    [replaced, removed, made_a_folder, made_a_pipe, written, written_with_its_old_time],
)
def test_another_content_is_no_longer_the_same(
    path: Path, change: Callable[[Path], None], clock: Callable[[], float] | None
) -> None:
    files = Files(clock) if clock else Files()
    files.read(path, 10)
    assert files.same()
    change(path)
    assert not files.same()


def test_a_file_written_again_within_the_grain_of_its_times_is_read_again(path: Path) -> None:
    """All that stat(2) tells is as it was; a file this young is not believed by that."""
    files = Files()
    files.read(path, 10)
    seen = files._seen[path]
    path.write_text("two")
    seen.look = files._look(path)
    assert not files.same()


def test_a_file_of_which_all_is_as_it_was_is_not_read_again(path: Path) -> None:
    files = Files(later)
    files.read(path, 10)
    files.found(path, b"what would be found to be another")
    assert files.same()


def test_a_file_that_was_touched_or_replaced_by_its_like_is_the_same(path: Path) -> None:
    files = Files(later)
    files.read(path, 10)
    path.touch()
    assert files.same()
    settled(path.with_name("new"), "one").replace(path)
    assert files.same()
    files.found(path, b"what would be found to be another")
    assert files.same(), "it is known as it now is"


def test_a_file_that_is_missing_is_the_same_until_it_is_there(tmp_path: Path) -> None:
    files, path = Files(), tmp_path / "file"
    with pytest.raises(FileNotFoundError):
        files.read(path, 10)
    assert files.same()
    assert files.paths == [path]
    path.write_text("")
    assert not files.same()


def test_a_file_that_could_not_be_read_is_another_once_it_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For want of anything: all that is told of it is as it was."""
    files = Files(later)

    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        with pytest.raises(OSError, match="Too many"):
            files.read(path, 10)
        assert files.same()
    assert not files.same()


def test_only_what_was_read_of_a_file_matters(path: Path) -> None:
    files = Files()
    files.read(path, 1)
    path.write_text("only")
    assert files.same()
    path.write_text("own")
    assert not files.same()


def test_what_another_reader_found_is_compared_whole(path: Path) -> None:
    files = Files()
    files.look(path)
    assert files.same()
    files.found(path, sha256(b"one").digest())
    assert files.same()
    path.write_text("one more")
    assert not files.same()


def test_a_pipe_has_nothing_to_be_read_again(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x")
    os.close(writing)
    files = Files()
    assert files.read(Path(f"/dev/fd/{reading}"), 10) == b"x"
    assert files.same()
    os.close(reading)


def test_all_is_forgotten_before_all_is_read_anew(path: Path) -> None:
    files = Files()
    files.read(path, 10)
    files.clear()
    assert (files.paths, files.digest()) == ([], b"")
