"""Laws of event streams."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from extproc.dialects.answers import Events
from extproc.dialects.shape import Fields, Keep, Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import Mutator
from extproc.prediction import Kind
from extproc.rewriter import EventRewriter
from tests.rewriter.bodies import (
    CAP,
    EVERYTHING,
    LITTLE,
    REPEATED,
    SECRET,
    STREAM,
    chats,
    cuts,
    document,
    edits,
    events,
    outcome,
    singly,
    split,
    tiers,
    with_unknown_fields,
    written,
)

framed = st.lists(
    st.one_of(
        st.builds(lambda write, value: write(value), written, with_unknown_fields(chats)),
        st.just(b"[DONE]"),
    ),
    max_size=4,
)
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


def stream(documents: list[bytes], line_end: bytes, *, more: bool) -> bytes:
    """The documents as events; ``more`` adds what clients of these APIs do not read."""
    body = b": hello" + line_end * 2 if more else b""
    for number, one in enumerate(documents):
        lines = [b"data: " + line for line in one.split(b"\n")]
        if more and number % 2:
            lines.insert(0, b"event: s3cret")
            lines.append(b"id: s3cret")
        body += line_end.join(lines) + line_end * 2
    return body


@given(documents=framed, line_end=line_ends, cuts=cuts, kinds=tiers, more=st.booleans())
def test_a_stream_does_not_depend_on_how_it_was_cut(
    documents: list[bytes],
    line_end: bytes,
    cuts: list[int],
    kinds: Mapping[Kind, Sequence[Mutator]],
    *,
    more: bool,
) -> None:
    body = stream(documents, line_end, more=more)
    whole = events([body], kinds)
    assert events(split(body, cuts), kinds) == whole
    assert events(singly(body), kinds) == whole


@given(documents=st.lists(chats, max_size=4), write=written, line_end=line_ends)
def test_a_stream_that_needs_no_change_passes_byte_for_byte(
    documents: list[Any], write: Any, line_end: bytes
) -> None:
    body = stream([*map(write, documents), b"[DONE]"], line_end, more=False)
    assert events([body], EVERYTHING) == body


@given(documents=framed, line_end=line_ends, kinds=tiers, more=st.booleans())
def test_the_events_of_a_stream_are_its_documents_rewritten(
    documents: list[bytes],
    line_end: bytes,
    kinds: Mapping[Kind, Sequence[Mutator]],
    *,
    more: bool,
) -> None:
    out = events([stream(documents, line_end, more=more)], kinds)
    read = [event.data for event in SSEDecoder().iter_bytes(iter([out]))]
    assert len(read) == len(documents)
    for data, one in zip(read, documents, strict=True):
        if one == b"[DONE]":
            assert data == "[DONE]"
        else:
            assert json.loads(data) == json.loads(document([one], kinds))


@pytest.mark.parametrize("body", REPEATED)
def test_a_key_never_passes_twice_in_an_event(body: bytes) -> None:
    out = outcome(lambda: events([b"data: " + body + b"\n\n"], EVERYTHING))
    assert out is None or SECRET.encode() not in out


def test_the_fields_of_an_event_that_nobody_reads_do_not_pass() -> None:
    body = b': s3cret\n\nevent: s3cret\nid: s3cret\nretry: 5\ndata: {"id":"a"}\n: s3cret\n\n'
    assert events([body], EVERYTHING) == b':\n\ndata: {"id":"a"}\n\n'
    assert events([b"event: ping\n\n"], EVERYTHING) == b""
    assert events([b"\n\r\n\n: s3cret\n\n"], EVERYTHING) == b":\n\n"


def test_the_end_of_a_stream_passes_as_it_came_and_alone() -> None:
    assert events([b"data:[DONE]\r\n\r\n"], LITTLE) == b"data:[DONE]\r\n\r\n"
    assert events([b"event: s3cret\ndata: [DONE]\n\n"], LITTLE) == b"data: [DONE]\n\n"
    for data in (b"[DONE] s3cret", b" [DONE]", b"[done]"):
        with pytest.raises(UpstreamError):
            events([b"data: " + data + b"\n\n"], LITTLE)


def test_what_came_before_an_unreadable_event_is_not_lost() -> None:
    machine = EventRewriter(STREAM, Rewrite(edits(EVERYTHING), "m"), CAP)
    pieces = machine.feed(b'data: {"id":"a"}\n\ndata: s3cret\n\ndata: {"id":"b"}\n\n')
    assert next(pieces) == b'data: {"id":"a"}\n\n'
    with pytest.raises(UpstreamError):
        next(pieces)


def test_an_unfinished_event_is_held_and_rewritten_at_the_end() -> None:
    machine = EventRewriter(STREAM, Rewrite(edits(LITTLE), "m"), CAP)
    body = b'data: {"id":"a","x":"s3cret"}'
    assert [*machine.feed(body)] == []
    assert machine.held == len(body)
    assert [*machine.finish()] == [b'data: {"id":"a"}\n\n']
    assert machine.held == 0


def test_an_event_of_another_shape_is_counted_where_it_stands() -> None:
    run = Rewrite(edits(LITTLE), "m")
    machine = EventRewriter(STREAM, run, CAP)
    body = b'data: {"s3cret":1,"choices":[{"delta":{"content":"s3cret"}}]}\n\n'
    assert b"".join(machine.feed(body)) == b'data: {"choices":[{"delta":{}}]}\n\n'
    assert run.dropped == {"*": 1, "choices[].delta.content": 1}


NAMED = Events(Fields({"type": Keep(), "x": Fields({"y": Keep()})}), named=True)


def named(body: bytes) -> bytes:
    machine = EventRewriter(NAMED, Rewrite({}, "m"), CAP)
    return b"".join([*machine.feed(body), *machine.finish()])


def test_a_named_event_is_called_by_the_type_of_its_document() -> None:
    body = b'event: a.b\ndata: {"type":"a.b","x":{"y":1}}\n\n'
    assert named(body) == body
    assert (
        named(b'event: s3cret\ndata: {"type":"a.b"}\n\n') == b'event: a.b\ndata: {"type":"a.b"}\n\n'
    )
    assert named(b'data: {"type":"a_b-9"}\n\n') == b'event: a_b-9\ndata: {"type":"a_b-9"}\n\n'


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"null",
        b'{"type":null}',
        b'{"type":7}',
        b'{"type":""}',
        b'{"type":"a\\ndata: s3cret"}',
        b'{"type":"a b"}',
        b'{"type":"a\\n"}',
        b'{"type":"%b"}' % (b"a" * 65),
    ],
)
def test_a_type_that_is_no_name_of_an_event_is_refused(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="an event has no type"):
        named(b"data: " + data + b"\n\n")


def test_an_event_of_which_nothing_passes_leaves_nothing() -> None:
    class Nothing:
        def rewrite(self, value: Any, run: Rewrite, place: str) -> Any:
            return run.drop(place)

    run = Rewrite({}, "m")
    machine = EventRewriter(Events(Nothing(), frozenset({b"[DONE]"})), run, CAP)
    assert b"".join(machine.feed(b'data: {"s3cret":1}\n\ndata: [DONE]\n\n')) == b"data: [DONE]\n\n"
    assert run.dropped == {"": 1}


def test_an_event_stream_that_cannot_go_on_says_so() -> None:
    run = Rewrite({}, "m")
    assert EventRewriter(STREAM, run, CAP).cut(b"{}") == b"data: {}\n\n"
    assert EventRewriter(NAMED, run, CAP).cut(b"{}") == b"event: error\ndata: {}\n\n"
