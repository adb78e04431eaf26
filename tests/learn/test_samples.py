"""Samples come from files: documents, lines or events."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from extproc.errors import ConfigError
from extproc.learn import samples
from extproc.learn.samples import STANDARD_INPUT, read


def written(folder: Path, body: bytes) -> Path:
    path = folder / "answer.json"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b"[\n 1,\n 2]\n", [[1, 2]]),
        (b'{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}]),
        (b'data: {"a":1}\n\ndata: [DONE]\n\n', [{"a": 1}]),
        (b': hi\nevent: x\nid: 7\ndata:{"a":1}\r\n\r\ndata: {"a":2}\n', [{"a": 1}, {"a": 2}]),
    ],
)
def test_every_framing_is_read(tmp_path: Path, body: bytes, found: list[Any]) -> None:
    assert read([written(tmp_path, body)]) == found


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", 1),
        (b"s3cret", 1),
        (b'{"a": s3cret}', 1),
        (b'{"a":\n1,\n"b" s3cret}', 3),
        (b'{"a":1}\ns3cret\n{"a":2}\n', 2),
        (b"\xff", 1),
    ],
)
def test_what_is_no_json_is_told_with_its_line(tmp_path: Path, body: bytes, line: int) -> None:
    path = written(tmp_path, body)
    with pytest.raises(ConfigError) as caught:
        read([path])
    assert str(caught.value).startswith(f"{path}:{line}: not JSON; give ")
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read([tmp_path / "none.json"])


def test_a_file_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "LARGEST", 1 << 20)
    path = written(tmp_path, b" " * (1 << 20) + b"1")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read([path])


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a":1} s3cret')))
    with pytest.raises(ConfigError, match="standard input:1: not JSON"):
        read([STANDARD_INPUT])
