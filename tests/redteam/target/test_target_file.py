"""The file that describes a gateway of the user's own."""

from pathlib import Path

import pytest

from extproc.redteam.target.target_file import read

TEXT = """\
name: mine
kind: classifier
url: https://api.example
request: {path: /score, body: "{{inputs}}"}
answer: {label: label}
inputs: rows.csv
"""


def test_what_is_not_written_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEXT)
    file = read(tmp_path / "t.yaml")
    assert (file.parallel, file.request.method, file.request.batch) == (16, "POST", 1)
    assert file.request.headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT + "colour: red\n", "unknown field `colour`"),
        (TEXT.replace("classifier", "oracle"), "Invalid enum value 'oracle'"),
        (TEXT.replace("https", "ftp"), "$.url"),
        (TEXT.replace("/score", "score"), "$.request.path"),
        (TEXT + "a: [\n", "t.yaml:8: "),
        ("", "Expected `object`, got `null`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(ValueError) as caught:
        read(tmp_path / "t.yaml")
    assert said in str(caught.value)
    assert str(tmp_path / "t.yaml") in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"t\.yaml: .*No such file"):
        read(tmp_path / "t.yaml")
