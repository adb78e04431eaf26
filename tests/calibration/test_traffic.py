"""Reading recorded traffic: what is wrong is told with its place, and never with its content."""

from pathlib import Path

import pytest

from extproc.calibration import traffic
from extproc.calibration.traffic import Line, lines
from extproc.errors import ConfigError

GOOD = '{"client":"a","time":1760000000,"traffic":"batch","input":{"text":"hello"}}\n'


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "traffic.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_line_is_a_query(tmp_path: Path) -> None:
    other = '{"client":"b","time":1.5,"input":[1,2.5],"answer":"left alone"}'
    assert list(lines(_file(tmp_path, GOOD + other))) == [
        Line(client="a", time=1760000000, traffic="batch", input={"text": "hello"}),
        Line(client="b", time=1.5, traffic="user", input=[1, 2.5]),
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('{"client":"a","input":"s3cret"}', "missing required field `time`"),
        ('{"client":"a","time":"s3cret","input":1}', "Expected `float`"),
        ('{"client":"a","time":-1,"input":1}', "`float` >= 0"),
        ('{"client":"a","time":1e999,"input":1}', "time"),
        ('{"client":"","time":1,"input":1}', "length >= 1"),
        ('{"client":"a","time":1,"traffic":7,"input":1}', "Expected `str`"),
        ('["s3cret"]', "Expected `object`"),
        ("s3cret", "not JSON"),
        (b'{"client":"\xff","time":1,"input":1}', "not JSON"),
        ("", "not JSON"),
    ],
)
def test_a_bad_line_is_one_sentence_with_its_place(
    tmp_path: Path, wrong: str | bytes, told: str
) -> None:
    rest = wrong.encode() if isinstance(wrong, str) else wrong
    path = _file(tmp_path, GOOD.encode() + rest + b"\n")
    with pytest.raises(ConfigError) as failed:
        list(lines(path))
    said = str(failed.value)
    assert said.startswith(f"{path}:2: ")
    assert said.endswith(traffic._REMEDY)
    assert told in said
    assert "s3cret" not in said
    assert "\n" not in said


def test_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MOST", 2)
    with pytest.raises(ConfigError, match=r"jsonl:3: more than 2 lines; give fewer clients"):
        list(lines(_file(tmp_path, GOOD * 3)))
    monkeypatch.setattr(traffic, "LONGEST", 50)
    with pytest.raises(ConfigError, match=r"jsonl:1: longer than .* cut its input"):
        list(lines(_file(tmp_path, GOOD)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.jsonl: No such file.*; name a file"):
        list(lines(tmp_path / "none.jsonl"))
