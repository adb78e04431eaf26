"""What a suspect is asked, and how a sheet of it is written."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from extproc.errors import ConfigError
from extproc.ownership.questions import about, read_sheet, written


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("a text", "a text"),
        ([["image", [1.5, 2.0]]], [1.5, 2.0]),
        ([[None, [1]]], [1]),
        ([["one", [1]], ["two", [2]]], [["one", [1]], ["two", [2]]]),
        ({"b": 1, "a": 2}, {"b": 1, "a": 2}),
    ],
)
def test_of_one_tensor_its_row_is_asked_about(value: Any, asked: Any) -> None:
    assert about(value).input == asked


def test_a_question_is_known_by_what_is_asked() -> None:
    assert about([["image", [1.0]]]) == about([["x", [1.0]]])
    assert about({"a": 1, "b": 2}).question == about({"b": 2, "a": 1}).question
    assert about("a").question != about("b").question


def test_a_sheet_is_written_and_read(tmp_path: Path) -> None:
    questions = [about("a text"), about([["image", [1.5]]])]
    text = b"".join(written(questions))
    (tmp_path / "sheet").write_bytes(text)
    assert {*msgspec.json.decode(text.splitlines()[0])} == {"question", "input"}
    assert read_sheet(tmp_path / "sheet") == questions


@pytest.mark.parametrize("line", [b"{}", b'{"question":"\xff"}', b'{"input":' + b"[" * 5000])
def test_what_is_no_sheet_is_said(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "sheet").write_bytes(line + b"\n")
    with pytest.raises(ConfigError, match="no sheet of questions"):
        read_sheet(tmp_path / "sheet")
