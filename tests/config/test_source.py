from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config.source import MAX_BYTES, MAX_DEPTH, MAX_TEXT, read
from extproc.errors import ConfigError
from tests.config.example import write

CORRECT = "correct it here or just above"


def data(folder: Path, text: str) -> Any:
    return read(write(folder, text)).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        ("2.5", 2.5),
        ("1e3", 1000.0),
        # What YAML 1.1 reads as a boolean, an octal, a time of day, a date, infinity:
        ("off", "off"),
        ("yes", "yes"),
        ("True", "True"),
        ("010", "010"),
        ("0o7", "0o7"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ("1e+100", 1e100),
        ("9" * 32, int("9" * 32)),
        ("'3'", "3"),
        ('"true"', "true"),
        ("''", ""),
        ("key:ab", "key:ab"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
        ("<<", "<<"),
    ],
)
def test_scalars_are_what_they_look_like(tmp_path: Path, text: str, value: Any) -> None:
    read_back = data(tmp_path, f"a: {text}")["a"]
    assert (read_back, type(read_back)) == (value, type(value))


def test_keys_are_text(tmp_path: Path) -> None:
    assert data(tmp_path, "{1: a, true: b, null: c, '<<': d}") == {
        "1": "a",
        "true": "b",
        "null": "c",
        "<<": "d",
    }


def test_every_place_has_its_line(tmp_path: Path) -> None:
    document = read(write(tmp_path, "# c\na: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\ne:\n  f\n"))
    assert document.lines == {
        (): 2,
        ("a",): 2,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 1): 5,
        ("b", 1, "c"): 5,
        ("b", 1, "d"): 6,
        ("e",): 7,
    }


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    assert data(tmp_path, "\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the file is empty; start from envoy/policy.yaml"),
        ("# only this\n", "1: the file is empty; start from envoy/policy.yaml"),
        ("a: 1\nb: 2\na: 3\n", "3: a: repeated, first on line 1; keep one of the two"),
        ("a: {b: 1, 'b': 2}", "1: a.b: repeated, first on line 1; keep one of the two"),
        ("a: &x 1\n", "1: a: an anchor; remove it, and write its aliases out"),
        ("a:\n  - &x [1]\n", "2: a[0]: an anchor; remove it, and write its aliases out"),
        ("a: 1\nb: *x\n", "2: b: an alias; write the value out"),
        ("a: 1\n*x : 2\n", "2: the file: an alias; write the value out"),
        ("&x a: 1\n", "1: the file: an anchor; remove it, and write its aliases out"),
        ("a:\n  <<: {b: 1}\n", "2: a: a merge key; write the values out"),
        ("a: !!str 1\n", "1: a: a tag; remove it, types are known"),
        ("a: !x {b: 1}\n", "1: a: a tag; remove it, types are known"),
        ("!!int 1: 2\n", "1: the file: a tag; remove it, types are known"),
        ("a:\n  ? [b]\n  : 1\n", "2: a: a key that is a list or a mapping; write text"),
        ("a: 1\n---\nb: 2\n", "2: a second document; remove it"),
        ("a:\n\t- b\n", "2: a tab; indent with spaces"),
        ("a:\n  b: 1\n \tc: 2\n", "3: a tab; indent with spaces"),
        (
            "a: b: c\n",
            f"1: not YAML: mapping values are not allowed in this context; {CORRECT}",
        ),
        (
            "a: [1\nb: 2\n",
            f"2: not YAML: did not find expected ',' or ']'; {CORRECT}",
        ),
        (
            "a: 'b\n",
            f"2: not YAML: found unexpected end of stream; {CORRECT}",
        ),
        ("a: 1\nb: \x01\n", "2: a control character; remove it"),
        ("é: 1\nb: \x01\n", "2: a control character; remove it"),
        ('a: "b\\nc"\n', "1: a: text with a line break or control character; write it on one line"),
        ("a: |\n  b\n", "1: a: text with a line break or control character; write it on one line"),
        (
            '"a\\0": b\n',
            "1: the file: text with a line break or control character; write it on one line",
        ),
        ("a: 1e999", "1: a: a number out of bounds; shorten it, or quote it if it is text"),
        (
            f"a: {'9' * 33}",
            "1: a: a number out of bounds; shorten it, or quote it if it is text",
        ),
        ("a: " + "b" * (MAX_TEXT + 1), "1: a: text of more than 4096 characters; shorten it"),
        (
            "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2),
            f"1: {'[0]' * (MAX_DEPTH + 1)}: nested more than 16 deep; flatten it",
        ),
        (
            "[" * 100_000,
            f"1: not YAML: exceeded maximum nesting depth; {CORRECT}",
        ),
    ],
)
def test_what_has_no_single_reading_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:{message}"


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:2: not UTF-8; save the file in that encoding"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"a: 1\n".ljust(MAX_BYTES))
    assert read(path).data == {"a": 1}
    path.write_bytes(b"a: 1\n".ljust(MAX_BYTES + 1))
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: larger than 4 MiB; remove what is not used"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: No such file or directory; name a file to read"


@given(st.text() | st.text("ab:[]{},-#&*!|>'\"%@ \t\n?<\\", max_size=40))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        document = read(path)
    except ConfigError as error:
        assert str(error).startswith(f"{path}:")  # noqa: PT017 - most texts are refused
    else:
        assert () in document.lines
