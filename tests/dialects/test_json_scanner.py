"""JSON in pieces: what is passed over is what a parser would have read."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.json_scanner import MAX_DEPTH, Extent, Skip, parse
from extproc.errors import UpstreamError
from tests.dialects.documents import bytewise, cuts, json_values, written

PARSES = [
    b"0",
    b"-0",
    b"-0.0",
    b"10",
    b"1.5",
    b"1e5",
    b"1E+05",
    b"1e-5",
    b"1e-999",
    b"1e308",
    b"1" + b"0" * 99,
    b"1" + b"0" * 300,
    b"0." + b"1" * 999,
    b"true",
    b"false",
    b"null",
    b'""',
    b'"a"',
    b'"\x7f"',
    b'"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    b'"\\u0000\\uFFFF\\ud7ff\\ue000"',
    b'"\\ud800\\udc00\\uDBFF\\uDFFF"',
    '"\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"'.encode(),
    b"[]",
    b"{}",
    b"[ ]",
    b"{ }",
    b"[1]",
    b"[1,2.5,-3]",
    b'["a","b"]',
    b'[ 1 , "a" , null , [ ] , { } ]',
    b"[[],[[]],[[],[]]]",
    b'{"a":1}',
    b'{"a":{"b":[{"c":null}]},"d":"e"}',
    b'\t{\n"a"\r:\n1 , "a" : 2\n}',
    b'{"":0}',
]
BREAKS = [
    b"",
    b"-",
    b"01",
    b"-01",
    b"1.",
    b".5",
    b"+1",
    b"1e",
    b"1e+",
    b"0x1",
    b"1_0",
    b"1e999",
    b"-1e309",
    b"1" + b"0" * 400,
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"nul",
    b"nulll",
    b"True",
    b"undefined",
    b'"',
    b'"\n"',
    b'"\x00"',
    b'"\x1f"',
    b'"\\"',
    b'"\\a"',
    b'"\\u12"',
    b'"\\u12g4"',
    b'"\\U0041"',
    b'"\\ud800"',
    b'"\\udc00"',
    b'"\\ud800\\u0041"',
    b'"\\ud800\\ud800"',
    b'"\\ud800x"',
    b'"\x80"',
    b'"\xc0\x80"',
    b'"\xc3"',
    b'"\xc3\x28"',
    b'"\xe0\x80\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf0\x80\x80\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xf5\x80\x80\x80"',
    b'"\xff"',
    b"'a'",
    b"[",
    b"[1",
    b"[1,",
    b"[1,]",
    b"[,1]",
    b"[,]",
    b"[1 2]",
    b"[1:2]",
    b"[1}",
    b"{",
    b'{"a"',
    b'{"a":',
    b'{"a":1',
    b'{"a":1,',
    b'{"a":1,}',
    b"{,}",
    b'{"a" 1}',
    b'{"a",1}',
    b'{"a"}',
    b'{"a":}',
    b"{a:1}",
    b"{1:1}",
    b'{"a":1]',
    b'{"a":1 "b":2}',
    b'{"a"::1}',
    b"]",
    b"}",
    b",",
    b":",
    b"// comment\n1",
    b"[1/**/]",
    b"\xef\xbb\xbf1",
    b"\x0b1",
    b"\xa01",
    b"[1,\x0c2]",
]


def skips(pieces: list[bytes]) -> bool:
    """Whether a document that arrives in these pieces is passed over as one value."""
    skip, buffer, at = Skip(), bytearray(), 0
    try:
        for piece in [*pieces, b" "]:  # the space is how the end of a body is told
            buffer += piece
            at = skip.feed(buffer, at, len(buffer))
    except UpstreamError:
        return False
    return skip.done and not buffer[at:].strip(b" \t\n\r")


def finds(pieces: list[bytes]) -> bool:
    """Whether the end of a document that arrives in these pieces is found where it is."""
    extent, buffer, found = Extent(), bytearray(), None
    size = sum(map(len, pieces))
    try:
        for piece in [*pieces, b","]:
            buffer += piece
            if buffer and found is None:
                found = extent.find(buffer, 0, len(buffer))
    except UpstreamError:
        return False
    return found == size


def parses(document: bytes) -> bool:
    try:
        orjson.loads(document)
    except orjson.JSONDecodeError:
        return False
    return True


@pytest.mark.parametrize("document", PARSES)
def test_what_parses_is_passed_over(document: bytes) -> None:
    for framed in (document, b"[" + document + b"]", b'{"a":' + document + b',"b":[0,0]}'):
        assert parses(framed)
        assert skips([framed])
        assert skips(bytewise(framed))


@pytest.mark.parametrize("document", BREAKS)
def test_what_does_not_parse_is_refused(document: bytes) -> None:
    frames = [b"[0," + document + b" ]", b'{"a":[0,' + document + b',0],"b":0}', document]
    for framed in frames:
        assert not parses(framed)
        assert not skips([framed])
        assert not skips(bytewise(framed))


@given(st.data())
def test_a_document_is_passed_over_however_it_is_cut(data: st.DataObject) -> None:
    document = data.draw(json_values.flatmap(written))
    assert skips(data.draw(cuts(document)))
    assert skips(bytewise(document))


@given(st.data())
def test_a_damaged_document_is_passed_over_if_and_only_if_it_parses(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(json_values.flatmap(written)))
    at = data.draw(st.integers(0, len(damaged)))
    damaged[at : at + data.draw(st.integers(0, 2))] = data.draw(
        st.sampled_from(
            [b"", b",", b'"', b"\\", b"]", b"}", b"[", b":", b"0", b"\xc3", b"e9", b"-"]
        )
        | st.binary(max_size=2)
    )
    document = bytes(damaged)
    assert skips(data.draw(cuts(document))) is parses(document)
    assert skips(bytewise(document)) is parses(document)


@pytest.mark.parametrize(
    ("inner", "levels"),
    [(b"1", 0), (b"[]", 1), (b"{}", 1), (b"[[1],2]", 2), (b'{"a":[1]}', 2), (b'[{"a":[]},{}]', 3)],
)
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}"), (b"[0,", b",0]")])
def test_nesting_is_bounded(opened: bytes, closed: bytes, inner: bytes, levels: int) -> None:
    for skip_or_find in (skips, finds):
        depth = MAX_DEPTH - levels
        assert skip_or_find([opened * depth + inner + closed * depth])
        assert skip_or_find(bytewise(opened * depth + inner + closed * depth))
        deeper = opened * (depth + 1) + inner + closed * (depth + 1)
        assert not skip_or_find([deeper])
        assert not skip_or_find(bytewise(deeper))


@given(st.data())
def test_the_end_of_a_value_is_found_however_it_is_cut(data: st.DataObject) -> None:
    document = data.draw(json_values.flatmap(written)).strip()
    assert finds(data.draw(cuts(document)))
    assert finds(bytewise(document))


@pytest.mark.parametrize(
    "document",
    [
        b'["]"]',
        b'["\\"]"]',
        b'["\\\\"]',
        b'{"a":"}"}',
        b'[1,[2],"["]',
        b'[[1],"]",{"]":2}]',
        b'"\\\\"',
    ],
)
def test_a_bracket_in_a_string_ends_nothing(document: bytes) -> None:
    assert parses(document)
    assert finds([document])
    assert finds(bytewise(document))


def test_nothing_beyond_the_limit_is_read() -> None:
    buffer = bytearray(b'[1,2,"ab"] ')
    for limit in range(1, 10):
        assert Extent().find(buffer, 0, limit) is None
        assert Skip().feed(buffer, 0, limit) <= limit
    assert Extent().find(buffer, 0, 10) == 10


@pytest.mark.parametrize("value", [None, 7, "a", [1], {"a": 1}])
def test_a_value_is_parsed(value: Any) -> None:
    assert parse(orjson.dumps(value)) == value


def test_an_error_tells_nothing_of_what_was_read() -> None:
    with pytest.raises(UpstreamError) as caught:
        parse(b'{"secret": 0.125')
    assert str(caught.value) == "the answer is not valid JSON"
