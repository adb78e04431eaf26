import struct
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.errors import UpstreamError
from extproc.framing.frames import FrameStream, frame

CAP = 1000
messages = st.lists(st.binary(max_size=20), max_size=5)


def read(pieces: list[bytes], cap: int = CAP) -> list[bytes]:
    stream = FrameStream(cap)
    found = [message for piece in pieces for message in stream.feed(piece)]
    assert [*stream.finish()] == []
    assert stream.held == 0
    return found


@given(messages, st.lists(st.integers(0, 130), max_size=6))
def test_messages_do_not_depend_on_how_they_were_cut(sent: list[bytes], cuts: list[int]) -> None:
    body = b"".join(map(frame, sent))
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    assert read(pieces) == read([body[at : at + 1] for at in range(len(body))]) == sent


def test_a_message_has_a_flag_and_a_length() -> None:
    assert frame(b"ab") == b"\x00\x00\x00\x00\x02ab"


@pytest.mark.parametrize("flag", [1, 2, 255])
def test_a_compressed_message_is_refused_before_it_is_whole(flag: int) -> None:
    stream = FrameStream(CAP)
    with pytest.raises(UpstreamError, match="compressed"):
        [*stream.feed(bytes([flag]) + struct.pack(">I", 5))]


def test_a_message_above_the_cap_is_refused_before_it_has_come() -> None:
    assert read([frame(b"x" * CAP)]) == [b"x" * CAP]
    stream = FrameStream(CAP)
    with pytest.raises(UpstreamError, match="larger than 1000 bytes"):
        [*stream.feed(b"\0" + struct.pack(">I", CAP + 1))]


@pytest.mark.parametrize("size", range(1, 7))
def test_a_body_that_ends_within_a_message_is_refused(size: int) -> None:
    stream = FrameStream(CAP)
    assert [*stream.feed(frame(b"ab")[:size])] == []
    assert stream.held == size
    with pytest.raises(UpstreamError, match="in the middle"):
        stream.finish()
