"""Lengths are few, and what fills them up says nothing to those who read the format."""

import json
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import OpenAIChat
from extproc.dialects.answers import Answer, Array, Body, Document, Events, Frames, Lines
from extproc.dialects.shape import Anything
from extproc.framing.lines import LineStream
from extproc.framing.sse import EventStream
from extproc.padding import LEAST, Buckets, Padding, fillable, filled, padding

POW2, KIB = Buckets(), Buckets(1024)
BUCKETS = st.sampled_from([POW2, KIB, Buckets(256), Buckets(1000)])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
NODE = Anything()


@given(size=st.integers(0, 1 << 24), buckets=BUCKETS)
def test_a_bucket_holds_what_is_put_into_it_and_is_its_own(size: int, buckets: Buckets) -> None:
    bucket = buckets.of(size)
    assert bucket >= size
    assert buckets.of(bucket) == bucket
    assert buckets.room(size) == bucket - size <= max(2 * size + LEAST, buckets.step)


def test_powers_of_two_end_where_they_would_cost_a_megabyte() -> None:
    sizes = [0, 1, 512, 513, 1 << 20, (1 << 20) + 1, (5 << 20) + 1]
    found = [512, 512, 512, 1024, 1 << 20, 2 << 20, 6 << 20]
    assert [POW2.of(size) for size in sizes] == found
    assert [KIB.of(size) for size in (0, 1, 1024, 1025)] == [1024, 1024, 1024, 2048]


def through(made: Padding, *pieces: bytes) -> bytes:
    return made.end(b"".join(map(made.piece, pieces)))


@given(value=VALUES, buckets=BUCKETS, member=st.sampled_from(["", "obfuscation"]))
def test_a_filled_document_says_what_it_said(value: object, buckets: Buckets, member: str) -> None:
    document = json.dumps(value).encode()
    whole = through(padding(Document(NODE, member), buckets), document)
    assert len(whole) == buckets.of(len(document))
    said = json.loads(whole)
    if isinstance(said, dict) and isinstance(value, dict) and member not in value:
        said.pop(member, None)
    assert said == json.loads(document)


@given(cuts=st.lists(st.integers(0, 90), max_size=5), buckets=BUCKETS)
def test_the_length_of_a_document_does_not_depend_on_its_pieces(
    cuts: list[int], buckets: Buckets
) -> None:
    """What has left before gets spaces behind it, since a member can no longer be put in."""
    document = orjson.dumps({"text": "a" * 80})
    marks = [0, *sorted(cuts), len(document)]
    pieces = [document[start:end] for start, end in pairwise(marks)]
    made = padding(Document(NODE, "obfuscation"), buckets)
    left = b"".join(map(made.piece, pieces[:-1]))
    whole = left + made.end(made.piece(pieces[-1]))
    assert len(whole) == buckets.of(len(document))
    assert json.loads(whole)["text"] == "a" * 80
    assert (b"obfuscation" in whole) is (not left)


@pytest.mark.parametrize(
    ("document", "room"),
    [
        (b"[1]", 40),
        (b"{}", 40),
        (b"7", 40),
        (b'{"a":1}', 16),
        (b'{"obfuscation":""}', 40),
        (b'{"a":{"obfuscation":""}}', 40),
    ],
)
def test_where_a_member_cannot_stand_spaces_do(document: bytes, room: int) -> None:
    assert filled(document, room, "obfuscation") == document + b" " * room


def test_a_member_stands_last_and_once() -> None:
    assert filled(b'{"a":1}', 20, "obfuscation") == b'{"a":1,"obfuscation":"xxx"}'
    assert filled(b'{"a":1}', 18, "obfuscation") == b'{"a":1,"obfuscation":"x"}'
    assert filled(b'{"a":1}', 0, "obfuscation") == b'{"a":1}'
    twice = filled(filled(b'{"a":1}', 20, "obfuscation"), 40, "obfuscation")
    assert twice.count(b"obfuscation") == 1


EVENTS = [
    b'data: {"a":1}\n\n',
    b'data: {"a":"' + b"b" * 600 + b'"}\n\n',
    b"data: [DONE]\n\n",
    b'event: x\ndata: {"type":"x"}\n\n',
    b'data: {\ndata: "a":1}\n\n',
    b":\n\n",
    b'data: {"obfuscation":"x"}\r\n\r\n',
]


@pytest.mark.parametrize("event", EVENTS)
@given(buckets=BUCKETS, member=st.sampled_from(["", "obfuscation"]))
def test_a_filled_event_says_what_it_said(event: bytes, buckets: Buckets, member: str) -> None:
    made = padding(Events(NODE, padding=member), buckets)
    whole = made.piece(event)
    assert len(whole) == buckets.of(len(event))
    assert made.piece(b"") == b""
    assert made.end(whole) == whole
    assert heard(whole, member) == heard(event, member)


def heard(stream: bytes, member: str) -> list[object]:
    """What a client hears of it."""
    events = EventStream(1 << 20)
    data = [event.data for event in (*events.feed(stream), *events.finish())]
    return [said(one, member) for one in data if one is not None]


def said(data: bytes, member: str) -> object:
    if not data.startswith(b"{"):
        return data
    return {name: value for name, value in orjson.loads(data).items() if name != member}


@pytest.mark.parametrize("room", [1, 2, 3, 17, 18, 19])
def test_a_little_room_is_filled_too(room: int) -> None:
    event = b'data: {"a":"' + b"b" * 300 + b'"}\n\n'
    whole = padding(Events(NODE, padding="obfuscation"), Buckets(len(event) + room)).piece(event)
    assert len(whole) == len(event) + room
    assert heard(whole, "obfuscation") == heard(event, "")


def test_an_event_of_the_bucket_is_itself() -> None:
    event = b"data: " + b"1" * 504 + b"\n\n"
    assert padding(Events(NODE), POW2).piece(event) is event


@given(buckets=BUCKETS, size=st.integers(1, 3000))
def test_a_line_is_filled_before_its_end(buckets: Buckets, size: int) -> None:
    line = b'"' + b"a" * size + b'"\n'
    made = padding(Lines(NODE), buckets)
    whole = through(made, line, b"", line)
    assert len(whole) == 2 * buckets.of(len(line))
    lines = [*LineStream(1 << 20).feed(whole)]
    assert [orjson.loads(one) for one in lines] == ["a" * size] * 2


def test_an_array_is_filled_at_its_end() -> None:
    assert through(padding(Array(NODE), POW2), b"[1", b",2]") == b"[1,2]".ljust(512)


class Reads:
    """A whole body, and a message: what it becomes is of no interest here."""

    def rewrite(self, *_: object) -> bytes:
        return b""


@pytest.mark.parametrize(
    "answer",
    [Frames(Reads()), Frames(Reads(), streamed=True), Body(Reads())],  # type: ignore[arg-type]
)
def test_what_clients_count_every_byte_of_cannot_be_filled(answer: Answer) -> None:
    assert not fillable(answer)
    with pytest.raises(TypeError):
        padding(answer, POW2)


def test_every_answer_of_chat_can_be_filled_by_the_apis_own_member() -> None:
    for answer in OpenAIChat().answers().values():
        assert fillable(answer)
        assert isinstance(answer, Document | Events)
        assert answer.padding == "obfuscation"
