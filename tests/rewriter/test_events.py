"""Laws of event streams, and of those whose events have names."""

import json
from itertools import pairwise
from typing import Any

import orjson
import pytest
from anthropic._streaming import SSEDecoder
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.answers import Events
from extproc.dialects.shape import ABSENT, Fault, Fields, Keep, Opaque, Rewrite
from extproc.errors import UpstreamError
from extproc.rewriter import EventRewriter, rewritten
from tests.dialects.tiers import MODEL, OPEN, Edits

CAP = 1 << 16
FIELDS = Fields({"type": Keep(), "text": Opaque("text"), "error": Fault()})


class Some:
    """Lets nothing of type ``gone`` pass."""

    def rewrite(self, value: Any, run: Rewrite, place: str) -> Any:
        if isinstance(value, dict) and value.get("type") == "gone":
            return ABSENT
        return FIELDS.rewrite(value, run, place)


PLAIN = Events(Some(), frozenset({b"[DONE]"}))
NAMED = Events(Some(), frozenset({b"[DONE]"}), named=True)

names = st.sampled_from(["delta", "gone", "message_stop", "a.b-c_d"])
values = st.fixed_dictionaries(
    {"type": names}, optional={"text": st.text(max_size=5), "x": st.just("s3cret")}
)
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
cuts = st.lists(st.integers(0, 10_000), max_size=5)
tiers = st.sampled_from([OPEN, {"text": None}, {}])
indents = st.none() | st.integers(0, 2)


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def events(pieces: list[bytes], answer: Events = NAMED, edits: Edits = OPEN) -> bytes:
    machine = EventRewriter(answer, Rewrite(edits, MODEL), CAP)
    fed = [part for piece in pieces for part in machine.feed(piece)]
    return b"".join([*fed, *machine.finish()])


def stream(documents: list[Any], line_end: bytes, indent: int | None, *, lying: bool) -> bytes:
    """Each document in as many data lines as it has, under its name or another."""
    body = b": s3cret" + line_end * 2
    for one in documents:
        name = b"s3cret" if lying else one["type"].encode()
        lines = [b"data: " + line for line in json.dumps(one, indent=indent).encode().split(b"\n")]
        body += line_end.join([b"event: " + name, *lines, b"id: s3cret"]) + line_end * 2
    return body


@pytest.mark.parametrize("answer", [PLAIN, NAMED])
@given(
    documents=st.lists(values, max_size=4),
    line_end=line_ends,
    indent=indents,
    cuts=cuts,
    edits=tiers,
)
def test_a_stream_does_not_depend_on_how_it_was_cut(
    answer: Events,
    documents: list[Any],
    line_end: bytes,
    indent: int | None,
    cuts: list[int],
    edits: Edits,
) -> None:
    body = stream(documents, line_end, indent, lying=False)
    whole = events([body], answer, edits)
    assert events(split(body, cuts), answer, edits) == whole
    assert events(singly(body), answer, edits) == whole


@given(
    documents=st.lists(values, max_size=4),
    line_end=line_ends,
    indent=indents,
    edits=tiers,
    lying=st.booleans(),
)
def test_an_event_is_named_by_its_document_and_by_nothing_else(
    documents: list[Any], line_end: bytes, indent: int | None, edits: Edits, *, lying: bool
) -> None:
    out = events([stream(documents, line_end, indent, lying=lying)], NAMED, edits)
    read = [*SSEDecoder().iter_bytes(iter([out]))]
    kept = [one for one in documents if one["type"] != "gone"]
    assert [event.event for event in read] == [one["type"] for one in kept]
    for event, one in zip(read, kept, strict=True):
        alone = rewritten(orjson.dumps(one), Some(), Rewrite(edits, MODEL))
        assert alone is not None
        assert json.loads(event.data) == json.loads(alone)
    assert b"s3cret" not in out


@given(documents=st.lists(values, max_size=4))
def test_a_stream_as_its_api_writes_it_passes_byte_for_byte(documents: list[Any]) -> None:
    known = [
        {name: one[name] for name in one if name != "x"}
        for one in documents
        if one["type"] != "gone"
    ]
    named = [
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in known
    ]
    assert events([b"".join(named)]) == b"".join(named)
    plain = [b"data: %b\r\n\r\n" % json.dumps(one).encode() for one in known]
    assert events([b"".join(plain)], PLAIN) == b"".join(plain)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "delta\n",
        "delta\ndata: s3cret",
        "delta\rdata: s3cret",
        "delta\r\n\r\ndata: {}",
        "delta\u2028x",
        "delta\u0000",
        "delta:",
        "żółw",
        "a" * 65,
        7,
        None,
        True,
    ],
)
@pytest.mark.parametrize("changed", [False, True])
def test_a_name_that_could_begin_a_line_of_its_own_is_refused(name: Any, *, changed: bool) -> None:
    document = {"type": name} | ({"x": "s3cret"} if changed else {})
    with pytest.raises(UpstreamError, match="an event has no type") as caught:
        events([b"data: " + orjson.dumps(document) + b"\n\n"])
    assert "s3cret" not in str(caught.value)
    assert b"event:" not in events([b"data: " + orjson.dumps(document) + b"\n\n"], PLAIN)


@given(name=st.text(st.characters(codec="utf-8")))
def test_whatever_its_type_an_event_has_one_line_of_name_and_its_data(name: str) -> None:
    try:
        out = events([b"data: " + orjson.dumps({"type": name, "text": name}) + b"\n\n"])
    except UpstreamError:
        return
    if name == "gone":
        assert out == b""
        return
    first, second, *rest = out.splitlines()
    assert (first, rest) == (b"event: " + name.encode(), [b""])
    assert json.loads(second.removeprefix(b"data: ")) == {"type": name, "text": name}


@pytest.mark.parametrize("document", [b"{}", b"null", b'{"text":"a"}', b'{"type":{}}'])
def test_an_event_without_a_type_is_unreadable_where_events_have_names(document: bytes) -> None:
    with pytest.raises(UpstreamError):
        events([b"data: " + document + b"\n\n"])


def test_the_longest_name_passes() -> None:
    out = events([b'data: {"type":"%b"}\n\n' % (b"a" * 64)])
    assert out.startswith(b"event: " + b"a" * 64 + b"\n")


def test_the_type_that_counts_is_the_one_that_passes() -> None:
    out = events([b'data: {"type":"s3cret","type":"delta"}\n\n'])
    assert out == b'event: delta\ndata: {"type":"delta"}\n\n'


def test_data_of_several_lines_stays_of_several_lines() -> None:
    out = events([b'data: {"type":\r\ndata: "delta"}\r\n\r\n'])
    assert out == b'event: delta\ndata: {"type":\ndata: "delta"}\n\n'


@pytest.mark.parametrize("answer", [PLAIN, NAMED])
def test_comments_keep_their_place_and_lose_their_text(answer: Events) -> None:
    body = b': s3cret\r\n\r\ndata: {"type":"gone"}\r\n\r\n:\r\n\r\nevent: ping\n\nid: s3cret\n\n'
    assert events([body], answer) == b":\n\n:\n\n"


@pytest.mark.parametrize("answer", [PLAIN, NAMED])
def test_a_sentinel_passes_as_it_came_and_alone(answer: Events) -> None:
    assert events([b"data:[DONE]\r\n\r\n"], answer) == b"data:[DONE]\r\n\r\n"
    assert events([b"event: s3cret\ndata: [DONE]\n\n"], answer) == b"data: [DONE]\n\n"
    with pytest.raises(UpstreamError):
        events([b"data: [DONE]s3cret\n\n"], answer)


@pytest.mark.parametrize("answer", [PLAIN, NAMED])
@pytest.mark.parametrize("data", [b"s3cret", b'{"error":{}}', b"[]", b'{"type":["s3cret"]}'])
def test_what_came_before_an_unreadable_event_is_not_lost(answer: Events, data: bytes) -> None:
    machine = EventRewriter(answer, Rewrite(OPEN, MODEL), CAP)
    good = b'data: {"type":"delta"}\n\n'
    pieces = machine.feed(good + b"data: " + data + b"\n\n" + good)
    assert next(pieces).endswith(good)
    with pytest.raises(UpstreamError) as caught:
        next(pieces)
    assert "s3cret" not in str(caught.value)


def test_an_unfinished_event_is_held_and_rewritten_at_the_end() -> None:
    machine = EventRewriter(NAMED, Rewrite({}, MODEL), CAP)
    body = b'event: delta\ndata: {"type":"delta","text":"s3cret"}'
    assert [*machine.feed(body)] == []
    assert machine.held == len(body)
    assert [*machine.finish()] == [b'event: delta\ndata: {"type":"delta"}\n\n']
    assert machine.held == 0
    assert machine.set_headers == {}


def test_a_stream_that_is_cut_ends_with_an_event_that_says_so() -> None:
    error = b'{"type":"error","error":{}}'
    plain = EventRewriter(PLAIN, Rewrite({}, MODEL), CAP)
    assert plain.cut(error) == b"data: " + error + b"\n\n"
    named = EventRewriter(NAMED, Rewrite({}, MODEL), CAP)
    assert named.cut(error) == b"event: error\ndata: " + error + b"\n\n"
