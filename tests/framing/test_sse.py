"""Laws of the event stream, against an oracle that reads the whole body at once."""

from collections.abc import Iterator
from itertools import chain, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from extproc.errors import UpstreamError
from extproc.framing.sse import Event, EventStream, render

BOM = b"\xef\xbb\xbf"
CAP = 1 << 16

LINES = st.sampled_from(
    [
        b"",
        b"",
        b'data: {"a": 1}',
        b"data:{}",
        b"data",
        b"data:",
        b"data:  two spaces",
        b"data: [DONE]",
        "data: żółw 🐢 \u2028 \x85".encode(),
        b"data: half a character \xf0\x9f",
        b"data : not a data line",
        b"database: not a data line",
        b"Data: not a data line",
        b" data: not a data line",
        BOM + b"data: a mark that is not at the start",
        b"event: delta",
        b"id: 7",
        b"retry: 10",
        b": keep-alive",
        b":",
        b"no colon",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
BODIES = st.builds(
    lambda mark, lines, last: mark + b"".join(chain.from_iterable(lines)) + last,
    st.sampled_from([b"", b"", BOM, BOM[:2], BOM * 2]),
    st.lists(st.tuples(LINES, ENDS), max_size=12),
    LINES,
)


def events(*pieces: bytes, cap: int = CAP) -> list[Event]:
    stream = EventStream(cap)
    return [*chain.from_iterable(map(stream.feed, pieces)), *stream.finish()]


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def dispatched(body: bytes) -> Iterator[bytes]:
    """What a client of WHATWG's algorithm would see, and the event the end of the body cuts off."""
    data: list[bytes] = []
    for line in [*body.removeprefix(BOM).splitlines(), b""]:
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        if line == b"" and data:
            yield b"\n".join(data)
            data = []


@given(body=BODIES, cuts=st.lists(st.integers(0, 10_000), max_size=6))
@example(body=b"data: a\r\n\r\ndata: b\r\n\r\n", cuts=[])
@example(body=b"data: a\r\r\ndata: b\n\r\n", cuts=[])
@example(body=BOM, cuts=[])
def test_the_events_do_not_depend_on_how_the_body_was_cut(body: bytes, cuts: list[int]) -> None:
    whole = events(body)
    assert events(*split(body, cuts)) == whole
    assert events(*singly(body)) == whole


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_every_pair_of_cuts_of_one_body_gives_the_same_events(line_end: bytes) -> None:
    lines = [BOM + "data: ż".encode(), b"data: 2", b"", b": ping", b"", b"", b"id: 1", b"data", b""]
    body = line_end.join([*lines, b"data: unfinished"])
    whole = events(body)
    assert [event.data for event in whole if event.data is not None] == [*dispatched(body)]
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            assert events(body[:first], body[first:second], body[second:]) == whole


@given(body=BODIES)
def test_a_client_of_the_standard_reads_the_same_events(body: bytes) -> None:
    read = [event.data for event in events(body) if event.data is not None]
    assert read == [*dispatched(body)]


@given(body=BODIES)
def test_no_byte_is_lost_or_made_up(body: bytes) -> None:
    assert b"".join(event.raw for event in events(body)) == body.removeprefix(BOM)


@given(body=BODIES)
def test_a_plain_event_has_data_lines_alone(body: bytes) -> None:
    for event in events(body):
        lines = [line for line in event.raw.splitlines() if line]
        assert event.plain == all(line.partition(b":")[0] == b"data" for line in lines)


@given(body=BODIES)
def test_a_rendered_event_reads_as_the_same_data_and_nothing_else(body: bytes) -> None:
    data = [*dispatched(body)]
    again = events(b"".join(map(render, data)))
    assert [event.data for event in again] == data
    assert all(event.plain for event in again)


@given(data=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))))
def test_the_openai_client_reads_what_is_rendered(data: list[str]) -> None:
    body = b"".join(render(text.encode()) for text in data)
    read = [event.data for event in SSEDecoder().iter_bytes(iter([body]))]
    assert read == data


def test_a_byte_order_mark_is_dropped_at_the_start_alone() -> None:
    assert events(BOM + b"data: a\n\n")[0].data == b"a"
    first, second = events(b"data: a\n\n" + BOM + b"data: b\n\n")
    assert (first.data, second.data) == (b"a", None)


def test_an_event_is_out_as_soon_as_its_blank_line_is_in() -> None:
    stream = EventStream(CAP)
    assert [event.data for event in stream.feed(b"data: a\n\ndata: b\n")] == [b"a"]
    assert stream.held == len(b"data: b\n")
    assert [event.data for event in stream.feed(b"\n")] == [b"b"]
    assert stream.held == 0


def test_a_carriage_return_waits_for_its_line_feed() -> None:
    stream = EventStream(CAP)
    assert [*stream.feed(b"data: a\r\r")] == []
    assert [event.raw for event in stream.feed(b"\n")] == [b"data: a\r\r\n"]
    assert [*stream.finish()] == []


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert [event.data for event in events(b"data: a\n\ndata: b\n")] == [b"a", b"b"]
    assert [event.data for event in events(b"data: a\r\n\r")] == [b"a"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_an_event_of_the_cap_passes_and_one_byte_more_does_not(line_end: bytes, cut: int) -> None:
    blank = line_end * 2
    body = b"data: " + b"x" * (100 - 6 - len(blank)) + blank
    for follows in (b"", b"data: b" + blank):
        whole = body + follows
        pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
        assert events(*pieces, cap=100)[0].raw == body
        with pytest.raises(UpstreamError, match="larger than 99 bytes"):
            events(*pieces, cap=99)


@given(
    body=BODIES, cuts=st.lists(st.integers(0, 10_000), max_size=6), cap=st.integers(len(BOM), 40)
)
def test_what_passes_before_an_event_is_too_large_does_not_depend_on_the_cutting(
    body: bytes, cuts: list[int], cap: int
) -> None:
    def played(pieces: list[bytes]) -> list[Event | str]:
        stream, seen = EventStream(cap), list[Event | str]()
        try:
            for piece in pieces:
                seen.extend(stream.feed(piece))
                assert stream.held <= cap
            seen.extend(stream.finish())
        except UpstreamError as error:
            seen.append(str(error))
        return seen

    assert played([body]) == played(split(body, cuts)) == played(singly(body))


def test_an_endless_event_is_not_searched_from_its_start_again_and_again() -> None:
    """Counted, not timed: a search that began anew would read half a billion bytes here."""
    stream = EventStream(1 << 20)
    for _ in range(1 << 15):
        assert [*stream.feed(b"data: x" + b"y" * 20 + b"\n")] == []
    assert stream.held == 28 << 15
    assert stream._searched == stream.held
