"""Events without a null member, and every other byte as it came."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.framing.sse import EventStream
from extproc.rewriter.nulls import NulllessEvents

FIRST = b'data: {"choices":[],"usage":null}\n\n'


def left(body: bytes, size: int = 0) -> list[tuple[bytes, bytes | None]]:
    events = NulllessEvents(EventStream(1 << 20), "usage")
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    found = [event for piece in pieces for event in events.feed(piece)]
    return [(event.raw, event.data) for event in [*found, *events.finish()]]


def data_of(document: bytes) -> bytes | None:
    [(raw, data)] = left(b"data: " + document + b"\n\n")
    assert raw == b"data: " + (data or b"") + b"\n\n"
    return data


@pytest.mark.parametrize(
    ("document", "without"),
    [
        (b'{"id":"x","usage":null}', b'{"id":"x"}'),
        (b'{"usage":null,"id":"x"}', b'{"id":"x"}'),
        (b'{"id":"x","usage":null,"obfuscation":"a"}', b'{"id":"x","obfuscation":"a"}'),
        (b'{"id": "x", "usage": null, "n": 1}', b'{"id": "x", "n": 1}'),
        (b'{"usage": null, "id": "x"}', b'{"id": "x"}'),
        (b'{"n":1.50,"t":"\\u003c","usage":null}', b'{"n":1.50,"t":"\\u003c"}'),
        (b'{"usage":null}', b"{}"),
    ],
)
def test_the_member_goes_and_every_other_byte_stays(document: bytes, without: bytes) -> None:
    assert data_of(document) == without


@pytest.mark.parametrize(
    "document",
    [
        b'{"id":"x"}',
        b'{"id":"x","usage":{"prompt_tokens":1}}',
        b'{"id":"x","usage":0}',
        b'{"text":",\\"usage\\":null"}',
        b'{"inner":{"a":1,"usage":null}}',
        b'[{"a":1,"usage":null}]',
        b"[DONE]",
        b"{broken",
    ],
)
def test_what_is_no_null_member_of_the_event_passes_as_it_came(document: bytes) -> None:
    assert data_of(document) == document


@pytest.mark.parametrize(
    ("document", "without"),
    [
        (b'{"inner":{"a":1,"usage":null},"usage":null}', {"inner": {"a": 1, "usage": None}}),
        (b'{"a":1,"us\\u0061ge":null}', {"a": 1}),
        (b'{"us\\u0061ge":null,"a":{"b":1,"usage":null}}', {"a": {"b": 1, "usage": None}}),
        (b'{"usage":null,"usage":null}', {}),
    ],
)
def test_what_its_bytes_do_not_tell_apart_is_written_anew(document: bytes, without: Any) -> None:
    assert orjson.loads(data_of(document) or b"") == without


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [0, 1, 7])
def test_the_lines_around_the_data_stay_too(end: bytes, size: int) -> None:
    body = (FIRST + b": alive\n\ndata:  [DONE]\n\n").replace(b"\n", end)
    out = b"".join(raw for raw, _ in left(body, size))
    assert out == body.replace(b',"usage":null', b"")


def test_data_of_several_lines_is_no_longer_plain() -> None:
    body = b'data: {"id":"x",\ndata: "usage":null}\n\n'
    events = NulllessEvents(EventStream(1 << 20), "usage")
    [event] = events.feed(body)
    assert (event.data, event.plain) == (b'{"id":"x"}', False)


def test_bytes_of_an_event_that_is_not_complete_are_held() -> None:
    events = NulllessEvents(EventStream(1 << 20), "usage")
    assert list(events.feed(FIRST[:20])) == []
    assert events.held == 20


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "usage", 'x,"usage":null']), inner, max_size=3)
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(["a", "b", "usage", '"usage":null,']), values)


@given(documents, st.booleans())
def test_it_is_what_taking_the_member_out_gives(document: dict[str, Any], spaced: bool) -> None:
    written = json.dumps(document, separators=None if spaced else (",", ":"), ensure_ascii=spaced)
    data = data_of(written.encode())
    if document.get("usage", 0) is None:
        del document["usage"]
    assert orjson.loads(data or b"") == document
