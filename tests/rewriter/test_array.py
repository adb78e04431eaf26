"""Laws of arrays that are sent element by element."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.shape import Fault, Fields, Items, Keep, Opaque, Rewrite
from extproc.errors import UpstreamError
from extproc.rewriter import ArrayRewriter, rewritten
from tests.dialects.tiers import MODEL, OPEN, Edits

CAP = 1 << 16
TREE = Fields(
    {"id": Keep(), "text": Opaque("text"), "more": Items(Opaque("reasoning")), "error": Fault()}
)
SECRET = b"s3cret"

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
values = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "id": scalars,
        "text": scalars,
        "more": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=2),
        "x": st.just(SECRET.decode()) | st.lists(scalars, max_size=2),
    },
)
arrays = st.lists(values, max_size=4)
cuts = st.lists(st.integers(0, 10_000), max_size=5)
tiers = st.sampled_from([OPEN, {"text": None}, {}])
indents = st.none() | st.integers(0, 2)


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def array(pieces: list[bytes], edits: Edits, *, cap: int = CAP) -> bytes:
    machine = ArrayRewriter(TREE, Rewrite(edits, MODEL), cap)
    fed = [part for piece in pieces for part in machine.feed(piece) if part]
    return b"".join([*fed, *filter(None, machine.finish())])


@given(value=arrays, indent=indents, cuts=cuts, edits=tiers)
def test_an_array_does_not_depend_on_how_it_was_cut(
    value: list[Any], indent: int | None, cuts: list[int], edits: Edits
) -> None:
    body = json.dumps(value, indent=indent).encode() + b"\r\n"
    whole = array([body], edits)
    assert array(split(body, cuts), edits) == whole
    assert array(singly(body), edits) == whole


@given(value=arrays, indent=indents)
def test_an_array_that_needs_no_change_passes_byte_for_byte(
    value: list[Any], indent: int | None
) -> None:
    known = [each and {name: each[name] for name in each if name != "x"} for each in value]
    body = json.dumps(known, indent=indent).encode()
    assert array([body], OPEN) == body


@given(value=arrays, edits=tiers)
def test_its_elements_are_its_documents_rewritten(value: list[Any], edits: Edits) -> None:
    body = json.dumps(value).encode()
    whole = rewritten(body, Items(TREE), Rewrite(edits, MODEL))
    assert whole is not None
    out = array([body], edits)
    assert json.loads(out) == json.loads(whole)
    assert SECRET not in out


def test_an_element_is_out_as_soon_as_it_is_whole() -> None:
    machine = ArrayRewriter(TREE, Rewrite({"text": None}, MODEL), CAP)
    assert b"".join(filter(None, machine.feed(b'[{"x":"s3cret","text":"a"'))) == b"["
    assert machine.held == 24
    assert b"".join(filter(None, machine.feed(b"}"))) == b'{"text":"a"}'
    assert machine.held == 0
    assert b"".join(filter(None, machine.feed(b',\r\n{"text":"b"}'))) == b',\r\n{"text":"b"}'
    assert b"".join(filter(None, machine.feed(b"]\n"))) == b"]\n"
    assert b"".join(filter(None, machine.finish())) == b""
    assert machine.set_headers == {}


class Nothing:
    """Lets only what has an id pass."""

    def rewrite(self, value: Any, run: Rewrite, place: str) -> Any:
        return value if "id" in value else run.drop("(element)")


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'[{"x":"s3cret"}]', b"[]"),
        (b'[{"x":1}, {"id":1}]', b'[ {"id":1}]'),
        (b'[{"id":1}, {"x":1}, {"id":2}]', b'[{"id":1}, {"id":2}]'),
        (b'[{"id":1}, {"x":1}]', b'[{"id":1}]'),
    ],
)
def test_an_element_of_which_nothing_passes_takes_its_comma_along(body: bytes, left: bytes) -> None:
    for pieces in ([body], singly(body)):
        machine = ArrayRewriter(Nothing(), Rewrite(OPEN, MODEL), CAP)
        out = [part for piece in pieces for part in machine.feed(piece) if part]
        assert b"".join([*out, *filter(None, machine.finish())]) == left


@pytest.mark.parametrize(
    "element",
    [b"s3cret", b'{"error":{"message":"s3cret"}}', b"[]", b"7", b'{"id":["s3cret"]}', b"{}{}"],
)
def test_what_came_before_an_unreadable_element_is_not_lost(element: bytes) -> None:
    body = b'[{"id":1}, {"id":2},' + element + b',{"id":3}]'
    for pieces in ([body], singly(body), split(body, [15, 30])):
        machine = ArrayRewriter(TREE, Rewrite(OPEN, MODEL), CAP)
        out: list[bytes] = []
        with pytest.raises(UpstreamError) as caught:
            out.extend(part for piece in pieces for part in machine.feed(piece) if part)
        assert b"".join(out) == b'[{"id":1}, {"id":2}' + (b",{}" if element == b"{}{}" else b"")
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"[", b'[{"id":1}', b'[{"id":1},', b'{"id":1}', b"[]x", b"[] []", b'"s3cret"']
)
def test_what_is_no_array_or_ends_early_is_unreadable(body: bytes) -> None:
    for pieces in ([body], singly(body)):
        with pytest.raises(UpstreamError):
            array(pieces, OPEN)


def test_what_is_held_is_bounded() -> None:
    with pytest.raises(UpstreamError, match="larger than 200 bytes"):
        array(singly(b'[{"id":"' + b"a" * 260), OPEN, cap=200)
    long = b"[" + b",".join([b'{"id":"a"}'] * 200) + b"]"
    assert array(singly(long), OPEN, cap=200) == long


@given(value=arrays, indent=indents, at=st.integers(0, 10_000), edits=tiers)
def test_an_array_that_is_cut_ends_with_an_element_that_says_so(
    value: list[Any], indent: int | None, at: int, edits: Edits
) -> None:
    body = json.dumps(value, indent=indent).encode()
    machine = ArrayRewriter(TREE, Rewrite(edits, MODEL), CAP)
    out = b"".join(filter(None, machine.feed(body[: at % len(body)])))
    last = machine.cut(b'{"error":{"code":502}}')
    assert last is not None
    *elements, error = json.loads(out + last)
    assert error == {"error": {"code": 502}}
    assert elements == json.loads(array([body], edits))[: len(elements)]


@pytest.mark.parametrize("body", [b"[]", b'[{"id":1}]\n', b"null "])
def test_behind_the_end_of_an_array_nothing_can_be_said(body: bytes) -> None:
    machine = ArrayRewriter(TREE, Rewrite(OPEN, MODEL), CAP)
    assert b"".join(filter(None, machine.feed(body))) == body
    with pytest.raises(UpstreamError):
        [*machine.feed(b"s3cret")]
    assert machine.cut(b"{}") is None
