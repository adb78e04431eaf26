from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.rehearsal.differences import differences, holding, parsed, shown

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2)
documents: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(documents)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert list(differences(document, document, "x")) == []


@pytest.mark.parametrize(
    ("expected", "found", "wrong"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {}, ["x.a: expected 1, and it is not there"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["x.a.b[1]: expected 2, is 3"]),
        ([1], [1, 2], ["x: expected [1], is [1,2]"]),
        (True, 1, ["x: expected true, is 1"]),
        (1, 1.0, []),
        (None, 0, ["x: expected null, is 0"]),
        ({"a": 1}, [1], ['x: expected {"a":1}, is [1]']),
        ("a", "b", ["x: expected a, is b"]),
    ],
)
def test_what_differs_is_told_by_its_place(expected: Any, found: Any, wrong: list[str]) -> None:
    assert list(differences(expected, found, "x")) == wrong


def test_a_name_is_found_wherever_it_stands() -> None:
    found = {"a": [{"b": 1}, {"c": {"b": None}}], "b": 2}
    assert list(holding("b", found, "x")) == [
        "x.a[0].b: expected nowhere, and it is there",
        "x.a[1].c.b: expected nowhere, and it is there",
        "x.b: expected nowhere, and it is there",
    ]
    assert list(holding("d", found, "x")) == []


def test_bodies_are_documents_streams_or_text() -> None:
    assert parsed(b'{"a":1}') == {"a": 1}
    assert parsed(b'data: {"a":1}\n\ndata: [DONE]\n\n') == [{"a": 1}, "[DONE]"]
    assert parsed(b"a,b\n") == "a,b\n"
    assert parsed(b"\xff") == "\ufffd"


def test_long_values_are_cut() -> None:
    assert shown("a" * 200) == "a" * 120 + "..."
