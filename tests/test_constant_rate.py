"""What leaves at every tick has one size, and together it says what the content says."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.constant_rate import ArrayFiller, ConstantRate, EventFiller, Filler, LineFiller, filler
from extproc.dialects.answers import Array, Document, Events, Frames, Lines
from extproc.dialects.shape import Anything
from extproc.framing.lines import LineStream
from extproc.framing.sse import EventStream
from extproc.padding import Buckets
from extproc.shaping import Rate

NODE = Anything()
ITEMS = st.lists(st.text("ab\u00e4", max_size=400), max_size=6)
"""The values of a stream."""
IDLE = st.lists(st.integers(0, 3), min_size=8, max_size=8)
"""How many ticks come before each value, and before the end."""
SIZES = st.integers(64, 700)
BUCKETS = st.sampled_from([None, Buckets(), Buckets(1000)])


def shaped(
    pieces: Sequence[bytes],
    idle: Sequence[int],
    filling: Filler,
    size: int,
    buckets: Buckets | None,
) -> list[bytes]:
    """What leaves, tick by tick, where each piece comes after so many idle ticks."""
    stream = ConstantRate(Rate(0.05, size), filling, buckets)
    left: list[bytes] = []
    for piece, ticks in zip(pieces, idle, strict=False):
        left += [stream.tick() for _ in range(ticks)]
        stream.feed(piece)
    left += [stream.tick() for _ in range(idle[-1])]
    stream.finish()
    while not stream.done:
        left.append(stream.tick())
        assert len(left) < 10_000
    assert stream.held == 0
    return left


@given(items=ITEMS, idle=IDLE, size=SIZES, buckets=BUCKETS)
def test_events_leave_in_pieces_of_one_size(
    items: list[str], idle: list[int], size: int, buckets: Buckets | None
) -> None:
    pieces = [b"data: " + orjson.dumps(item) + b"\n\n" for item in items]
    left = shaped(pieces, idle, EventFiller(), size, buckets)
    assert {len(piece) for piece in left} == {size}
    stream = EventStream(1 << 20)
    events = [*stream.feed(b"".join(left)), *stream.finish()]
    assert [orjson.loads(event.data) for event in events if event.data is not None] == items


@given(items=ITEMS, idle=IDLE, size=SIZES, buckets=BUCKETS)
def test_lines_leave_in_pieces_of_one_size_and_none_is_empty(
    items: list[str], idle: list[int], size: int, buckets: Buckets | None
) -> None:
    """Clients parse every line: an empty one, or spaces alone, would break them."""
    pieces = [orjson.dumps(item) + b"\n" for item in items]
    left = shaped(pieces, idle, LineFiller(), size, buckets)
    assert {len(piece) for piece in left} == {size}
    stream = LineStream(1 << 20)
    lines = [*stream.feed(b"".join(left)), *stream.finish()]
    if items:
        assert [orjson.loads(line) for line in lines] == items
    assert b"".join(left).endswith(b"\n" if items else b" ")


@given(items=ITEMS, idle=IDLE, size=SIZES, buckets=BUCKETS)
def test_an_array_leaves_in_pieces_of_one_size(
    items: list[str], idle: list[int], size: int, buckets: Buckets | None
) -> None:
    values = [orjson.dumps(item) for item in items]
    pieces = [b"[", *(b"," * (at > 0) + value for at, value in enumerate(values)), b"]"]
    left = shaped(pieces, [*idle, 0], ArrayFiller(), size, buckets)
    assert {len(piece) for piece in left} == {size}
    assert orjson.loads(b"".join(left)) == items


def test_what_is_ready_leaves_together_and_what_is_large_is_spread() -> None:
    stream = ConstantRate(Rate(0.05, 64), EventFiller())
    stream.feed(b"data: 1\n\n")
    stream.feed(b"data: 2\n\n")
    assert stream.held == 18
    assert stream.tick() == b"data: 1\n\ndata: 2\n\n" + b":" + b"x" * 43 + b"\n\n"
    stream.feed(b"data: " + b"3" * 80 + b"\n\n")
    assert stream.tick() == b"data: " + b"3" * 58
    assert stream.held == 24
    assert stream.tick() == b"3" * 22 + b"\n\n" + b":" + b"x" * 37 + b"\n\n"
    assert stream.tick() == b":" + b"x" * 61 + b"\n\n"
    stream.finish()
    assert not stream.done
    stream.tick()
    assert stream.done


def test_what_comes_with_the_end_leaves_at_one_tick_with_it() -> None:
    stream = ConstantRate(Rate(0.05, 64), EventFiller())
    stream.feed(b"data: " + b"1" * 56 + b"\n\n")
    stream.finish()
    assert stream.tick() == b"data: " + b"1" * 56 + b"\n\n"
    assert stream.done


def test_the_end_of_a_line_waits_for_the_next_line_or_the_end() -> None:
    stream = ConstantRate(Rate(0.05, 64), LineFiller())
    stream.feed(b"1\n")
    assert [stream.tick(), stream.tick()] == [b"1".ljust(64), b" " * 64]
    stream.feed(b"2\n")
    assert stream.tick() == b"\n2".ljust(64)
    stream.finish()
    assert stream.tick() == b" " * 63 + b"\n"
    assert stream.done


@given(ticks=st.integers(1, 40), buckets=st.sampled_from([Buckets(), Buckets(1000)]))
def test_how_long_a_stream_is_is_one_of_few(ticks: int, buckets: Buckets) -> None:
    left = shaped([b"data: 1\n\n"], [0, *[0] * 6, ticks - 1], EventFiller(), 100, buckets)
    assert len(left) * 100 == -(-buckets.of(ticks * 100) // 100) * 100


@pytest.mark.parametrize("room", range(1, 9))
def test_a_little_room_is_filled_with_what_events_ignore(room: int) -> None:
    filling = EventFiller().fill(room)
    assert len(filling) == room
    stream = EventStream(100)
    events = [*stream.feed(b"data: 1\n\n" + filling + b"data: 2\n\n"), *stream.finish()]
    assert [event.data for event in events if event.data is not None] == [b"1", b"2"]


class Message:
    def rewrite(self, *_: object) -> bytes:
        return b""


def test_each_framing_has_its_filling_or_none() -> None:
    assert isinstance(filler(Events(NODE)), EventFiller)
    assert isinstance(filler(Lines(NODE)), LineFiller)
    assert isinstance(filler(Array(NODE)), ArrayFiller)
    for answer in (Document(NODE), Lines(NODE, streamed=False), Frames(Message(), streamed=True)):
        assert filler(answer) is None
