from pathlib import Path

import pytest

from extproc.envoyconf.text import read_documents, to_yaml
from extproc.errors import ConfigError
from tests.envoyconf import shipped


def _file(folder: Path, text: str) -> Path:
    path = folder / "envoy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_same_document_gives_the_same_text_with_a_header() -> None:
    text = to_yaml(shipped.document())

    assert text == to_yaml(shipped.document())
    assert text.startswith("# Rendered by `extproc envoy`.")


def test_json_is_read_as_well(tmp_path: Path) -> None:
    assert read_documents(_file(tmp_path, '{"a": {"b": [1, true]}}')) == [{"a": {"b": [1, True]}}]
    assert read_documents(_file(tmp_path, "{a: 1}")) == [{"a": 1}]


def test_several_documents_are_read_and_empty_ones_are_none(tmp_path: Path) -> None:
    assert read_documents(_file(tmp_path, "---\na: 1\n---\n---\nb: 2\n")) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "'c' stands twice"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "'<<' is a merge"),
        ("a: [1\n", "line 2"),
        ("a: 1\n---\nb: 2\nb: 3\n", "'b' stands twice"),
        ('{"a": {"b": [{"c": 1, "c": 1}]}}', "'c' stands twice"),
        ("a: 1\n---\n- b\n", "is not a mapping"),
        ("a: !!python/object:os.system 1\n", "could not determine a constructor"),
        ("- a\n", "is not a mapping"),
        ("", "is not a mapping"),
    ],
)
def test_what_envoy_could_read_otherwise_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        read_documents(path)

    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        read_documents(tmp_path / "missing.yaml")

    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml: cannot be read"):
        read_documents(tmp_path / "latin.yaml")
