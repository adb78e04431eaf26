"""Comma-separated values have one reading, or none."""

import csv
import io

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.dialects.csv_records import records, rendered

_fields = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
_tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(_fields, min_size=width, max_size=width), min_size=1)
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\n1,2", [["a", "b"], ["1", "2"]]),
        (b"0.5", [["0.5"]]),
        (b",\n", [["", ""]]),
        (b'"a,b",c', [["a,b", "c"]]),
        (b'"a ""b""",c\r\n', [['a "b"', "c"]]),
        (b'"a\nb",c\nd,e\n', [["a\nb", "c"], ["d", "e"]]),
        (b'a,""', [["a", ""]]),
        (b'"a",', [["a", ""]]),
        (b'"a",\n"b",\n', [["a", ""], ["b", ""]]),
        ("é,\u2028\n".encode(), [["é", "\u2028"]]),
        (b"=1+1,@x", [["=1+1", "@x"]]),
    ],
)
def test_records_of_fields(body: bytes, found: list[list[str]]) -> None:
    assert records(body) == found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"a\n\nb",
        b"a\n\n",
        b'a"b,c',
        b'"a"b,c',
        b'"a',
        b'"a\n',
        b'""',
        b'a,"b"\n\nc,d',
        b"a\rb",
        b"a,b\r",
        b'"a"\rb',
        b"a,b\nc",
        b'"a",b\nc',
        b"\xff,a",
    ],
)
def test_what_is_read_in_two_ways_is_none(body: bytes) -> None:
    assert records(body) is None


@given(_tables)
def test_what_is_written_is_read_again(table: list[list[str]]) -> None:
    readable = not any(record == [""] for record in table)
    assert records(rendered(table)) == (table if readable else None)


@given(_tables)
def test_another_program_reads_the_same(table: list[list[str]]) -> None:
    if [""] in table:
        return
    text = rendered(table).decode()
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == table


@given(st.binary(max_size=40) | st.text('a1,"\n\r', max_size=20).map(str.encode))
def test_what_is_read_is_read_alike_however_it_is_written(body: bytes) -> None:
    found = records(body)
    if found is not None:
        assert records(rendered(found)) == found


def test_a_huge_field_is_read_in_one_go() -> None:
    huge = "x" * 900_000
    assert records(f'"{huge}",1\n'.encode()) == [[huge, "1"]]
    assert records(b'"' + b'""' * 400_000) is None
