"""API keys, from the places that a file says they are at."""

from pathlib import Path

import pytest

from extproc.declared_api.api_keys import keys


def test_keys_are_read_from_where_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("two\n\n three \n")
    found = keys(tmp_path / "t.yaml", ["env:ONE", "file:more"], {"ONE": "one"})
    assert found == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("sk-secret-of-mine", "write env:NAME or file:PATH"),
        ("env:NOT_THERE", "the environment has no NOT_THERE"),
        ("file:nowhere", "cannot be read"),
        ("file:empty", "holds no key"),
    ],
)
def test_a_key_that_is_not_there_is_said_and_none_is_told(
    tmp_path: Path, place: str, said: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ValueError) as caught:
        keys(tmp_path / "t.yaml", [place], {})
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
