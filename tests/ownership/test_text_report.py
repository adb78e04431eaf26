"""What is handed on of texts, and how they are read."""

from pathlib import Path

import msgspec
import pytest

from extproc.errors import ConfigError
from extproc.ownership import text_report
from extproc.ownership.report import to_json
from extproc.ownership.text_report import TextReport, read
from tests.ownership.making import DAY, Made
from tests.ownership.writing import basis, canary, listed, written


def report(made: Made, texts: list[str], clean: list[str] | None = None) -> TextReport:
    known = {"clean.jsonl": clean} if clean is not None else {}
    return text_report.made(basis(made), {"said.jsonl": texts}, known, DAY)


def test_it_says_what_it_rests_on_and_which_commitment_was_used(made: Made) -> None:
    texts = written(listed(made))
    found = report(made, texts, written(None))
    [suspect] = found.suspects
    assert (suspect.name, suspect.texts) == ("said.jsonl", 10)
    assert suspect.characters == sum(map(len, texts))
    [row] = found.judged
    assert f'"commitment":"{row.commitments.first}"'.encode() in made.lines[1]
    assert (row.commitments.line, row.commitments.signed) == (3, DAY)
    assert (row.epochs, row.routes, row.tenants) == ([1], ["POST /chat"], ["acme"])
    assert [each.carries for each in found.clean] == [[]]
    assert found.found == [row]


def test_it_holds_no_text_and_no_key(made: Made) -> None:
    key = listed(made)
    said = canary(made)
    texts = written(key)
    text = to_json(report(made, [*texts, said], texts)).decode()
    assert key.key.hex() not in text
    assert said not in text
    assert not any(each in text for each in texts)
    assert [each.carries for each in msgspec.json.decode(text, type=TextReport).clean] == [
        ["green list of tenant acme, model chat"]
    ]


@pytest.mark.parametrize("content", ["{", "3", '{"said": "x"}'])
def test_what_is_no_file_of_texts_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "said.jsonl"
    with pytest.raises(ConfigError, match="cannot be read"):
        read(file)
    file.write_text(content)
    with pytest.raises(ConfigError, match="it is no text"):
        read(file)


def test_a_line_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text('"one"\n\n{"said": "two"}\n')
    with pytest.raises(ConfigError, match=r"said\.jsonl:3: it is no text; write a string"):
        read(file)


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", " \n"), ("a.jsonl", ""), ("b.jsonl", '""')]
)
def test_a_file_without_a_text_is_refused(tmp_path: Path, name: str, content: str) -> None:
    """Planted: without it, no evidence is found in nothing, and the report is signed."""
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match="it holds no text"):
        read(tmp_path / name)


def test_a_file_is_one_text_or_one_a_line(tmp_path: Path) -> None:
    plain, lines = tmp_path / "said.txt", tmp_path / "said.jsonl"
    plain.write_text("one\ntwo")
    lines.write_text('"one"\n\n{"text": "two", "more": 1}\n')
    assert (read(plain), read(lines)) == (["one\ntwo"], ["one", "two"])
    plain.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no UTF-8"):
        read(plain)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_report, "LARGEST", 1 << 20)
    file = tmp_path / "said.txt"
    file.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="over 1 MiB"):
        read(file)
