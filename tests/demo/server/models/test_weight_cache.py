from pathlib import Path

import numpy as np
import pytest

from extproc.demo.server.models import weight_cache

WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "made" / "on the way" / "w.safetensors"
    weight_cache.write(file, WEIGHTS)
    read = weight_cache.read(file)
    assert read is not None
    np.testing.assert_array_equal(read["a"], WEIGHTS["a"])
    assert list(file.parent.iterdir()) == [file]


def test_no_file_and_a_broken_file_are_as_good_as_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not weights")
    assert weight_cache.read(broken) is None
    assert weight_cache.read(tmp_path / "absent.safetensors") is None


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    weight_cache.write(tmp_path / "file" / "w.safetensors", WEIGHTS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_directory_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert weight_cache.directory() == Path("/somewhere/extproc")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert weight_cache.directory() == Path.home() / ".cache" / "extproc"
