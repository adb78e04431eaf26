"""Laws of streams of lines: one document each, rewritten, whatever way they came."""

import json
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import Fault, Fields, Items, Keep, Opaque, Rewrite
from extproc.errors import UpstreamError
from extproc.rewriter import LineRewriter, rewritten
from tests.dialects.tiers import MODEL, OPEN, Edits

CAP = 1 << 16
TREE = Fields(
    {"id": Keep(), "text": Opaque("text"), "more": Items(Opaque("reasoning")), "error": Fault()}
)
SECRET = b"s3cret"

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
values = st.fixed_dictionaries(
    {},
    optional={
        "id": scalars,
        "text": scalars,
        "more": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=2),
        "x": st.just(SECRET.decode()) | st.lists(scalars, max_size=2),
    },
)
known = values.map(lambda value: {name: value[name] for name in value if name != "x"})
ends = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n", b"\n \t\n"])
cuts = st.lists(st.integers(0, 10_000), max_size=5)
tiers = st.sampled_from([OPEN, {"text": None}, {}])


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def lines(pieces: list[bytes], edits: Edits, *, cap: int = CAP) -> bytes:
    machine = LineRewriter(TREE, Rewrite(edits, MODEL), cap)
    fed = [part for piece in pieces for part in machine.feed(piece) if part]
    return b"".join([*fed, *filter(None, machine.finish())])


def body(documents: list[Any], end: bytes) -> bytes:
    return b"".join(json.dumps(each).encode() + end for each in documents)


@given(documents=st.lists(values, max_size=4), end=ends, cuts=cuts, edits=tiers)
def test_a_stream_does_not_depend_on_how_it_was_cut(
    documents: list[Any], end: bytes, cuts: list[int], edits: Edits
) -> None:
    whole = body(documents, end)
    out = lines([whole], edits)
    assert lines(split(whole, cuts), edits) == out
    assert lines(singly(whole), edits) == out
    assert lines([whole.rstrip()], edits) == out


@given(documents=st.lists(known, max_size=4))
def test_a_stream_that_needs_no_change_passes_byte_for_byte(documents: list[Any]) -> None:
    whole = body(documents, b"\n")
    assert lines([whole], OPEN) == whole


@given(documents=st.lists(values, max_size=4), end=ends, edits=tiers)
def test_the_lines_of_a_stream_are_its_documents_rewritten(
    documents: list[Any], end: bytes, edits: Edits
) -> None:
    out = lines([body(documents, end)], edits)
    one_by_one = [
        rewritten(orjson.dumps(each), TREE, Rewrite(edits, MODEL)) or b"" for each in documents
    ]
    assert [*map(json.loads, out.splitlines())] == [*map(json.loads, one_by_one)]
    assert not out or out.endswith(b"\n")
    assert SECRET not in out


def test_a_line_in_several_is_no_line() -> None:
    with pytest.raises(UpstreamError):
        lines([b'{"id":\n1}\n'], OPEN)
    # A document never holds a line feed, even one that was written anew.
    assert lines([b'{"id":"a\\nb","x":1}\n'], OPEN) == b'{"id":"a\\nb"}\n'


def test_lines_of_space_are_dropped() -> None:
    assert lines([b"\n \r\n\t\n"], OPEN) == b""
    assert lines([b"  "], OPEN) == b""


class Nothing:
    """Lets only what has an id pass."""

    def rewrite(self, value: Any, run: Rewrite, place: str) -> Any:
        return value if "id" in value else run.drop("(line)")


def test_a_document_of_which_nothing_passes_takes_its_line_out() -> None:
    machine = LineRewriter(Nothing(), Rewrite(OPEN, MODEL), CAP)
    out = [*machine.feed(b'{"id":1}\n{"x":"s3cret"}\n{"id":2}')]
    assert [*out, *filter(None, machine.finish())] == [b'{"id":1}\n', b"", b'{"id":2}\n']


@pytest.mark.parametrize(
    "line", [b"s3cret", b'{"error":"s3cret"}', b"[]", b"7", b'"s3cret"', b'{"id":{}}', b"{} {}"]
)
def test_what_came_before_an_unreadable_line_is_not_lost(line: bytes) -> None:
    machine = LineRewriter(TREE, Rewrite(OPEN, MODEL), CAP)
    pieces = machine.feed(b'{"id":1}\n' + line + b'\n{"id":2}\n')
    assert next(pieces) == b'{"id":1}\n'
    with pytest.raises(UpstreamError) as caught:
        next(pieces)
    assert "s3cret" not in str(caught.value)


def test_a_key_never_passes_twice() -> None:
    repeated = b'{"id":"s3cret","id":1}\n'
    assert lines([repeated], OPEN) == b'{"id":1}\n'


def test_an_unfinished_line_is_held_and_bounded() -> None:
    machine = LineRewriter(TREE, Rewrite(OPEN, MODEL), 10)
    assert [*machine.feed(b'{"id":')] == []
    assert machine.held == 6
    with pytest.raises(UpstreamError, match="larger than 10 bytes"):
        [*machine.feed(b"12345")]


def test_a_stream_that_is_cut_ends_with_a_line_that_says_so() -> None:
    machine = LineRewriter(TREE, Rewrite(OPEN, MODEL), CAP)
    [*machine.feed(b'{"id":1}\n{"id":')]
    assert machine.cut(b'{"error":"bad"}') == b'{"error":"bad"}\n'
    assert machine.set_headers == {}
