"""Laws of lines, against an oracle that splits the whole body at once."""

from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.framing.lines import LineStream

CAP = 1 << 16

BODIES = st.lists(
    st.sampled_from([b"", b"\n", b"\n\n", b"\r\n", b"{}", b'{"a":1}', "ż🐢\u2028".encode(), b"\r"])
).map(b"".join)
CUTS = st.lists(st.integers(0, 10_000), max_size=6)


def lines(*pieces: bytes, cap: int = CAP) -> list[bytes]:
    stream = LineStream(cap)
    return [*chain.from_iterable(map(stream.feed, pieces)), *stream.finish()]


def split(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


@given(body=BODIES, cuts=CUTS)
def test_the_lines_do_not_depend_on_how_the_body_was_cut(body: bytes, cuts: list[int]) -> None:
    *complete, last = body.split(b"\n")
    whole = [*complete, last] if last else complete
    assert lines(body) == lines(*split(body, cuts)) == lines(*singly(body)) == whole


@given(body=BODIES)
def test_no_byte_is_lost_or_made_up(body: bytes) -> None:
    read = b"\n".join(lines(body))
    assert read == body or read + b"\n" == body


def test_only_a_line_feed_ends_a_line() -> None:
    body = "a\rb\u2028c\x85d\x0be\x0cf\x00g".encode()
    assert lines(body + b"\n") == [body]


def test_a_line_is_out_as_soon_as_its_end_is_in() -> None:
    stream = LineStream(CAP)
    assert [*stream.feed(b"a\nb")] == [b"a"]
    assert stream.held == 1
    assert [*stream.feed(b"c")] == []
    assert stream.held == 2
    assert [*stream.feed(b"\n")] == [b"bc"]
    assert stream.held == 0
    assert [*stream.finish()] == []


def test_what_came_before_is_not_lost_where_a_line_is_too_large() -> None:
    stream = LineStream(3)
    read = stream.feed(b"a\nbcde\nf\n")
    assert next(read) == b"a"
    with pytest.raises(UpstreamError, match="larger than 3 bytes"):
        next(read)


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nb", b"\n\n"])
def test_a_line_of_the_cap_passes_and_one_byte_more_does_not(cut: int, end: bytes) -> None:
    whole = b"x" * 100 + end
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert lines(*pieces, cap=100)[0] == b"x" * 100
    with pytest.raises(UpstreamError, match="larger than 99 bytes"):
        lines(*pieces, cap=99)


@given(body=BODIES, cuts=CUTS, cap=st.integers(1, 12))
def test_what_passes_before_a_line_is_too_large_does_not_depend_on_the_cutting(
    body: bytes, cuts: list[int], cap: int
) -> None:
    def played(pieces: list[bytes]) -> list[bytes | str]:
        stream, seen = LineStream(cap), list[bytes | str]()
        try:
            for piece in pieces:
                seen.extend(stream.feed(piece))
                assert stream.held <= cap
            seen.extend(stream.finish())
        except UpstreamError as error:
            seen.append(str(error))
        return seen

    assert played([body]) == played(split(body, cuts)) == played(singly(body))


def test_an_endless_line_is_not_copied_again_and_again() -> None:
    """Counted, not timed: what is held stays in the pieces that it came in."""
    stream = LineStream(1 << 20)
    for _ in range(1 << 14):
        assert [*stream.feed(b"y" * 50)] == []
    assert len(stream._parts) == 1 << 14
    assert [len(line) for line in stream.feed(b"\n")] == [50 << 14]
