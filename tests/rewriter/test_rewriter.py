"""Every way to answer has its rewriter, and all of them keep one contract."""

from collections.abc import Iterator, Mapping
from typing import get_args

import pytest

from extproc.dialects.answers import (
    Answer,
    Array,
    Body,
    Document,
    Events,
    Frames,
    Lines,
    Whole,
)
from extproc.dialects.shape import Fields, Keep, Rewrite
from extproc.errors import UpstreamError
from extproc.framing.frames import frame
from extproc.rewriter import (
    ArrayRewriter,
    BodyRewriter,
    DocumentRewriter,
    EventRewriter,
    FrameRewriter,
    LineRewriter,
    WholeRewriter,
    body_rewriter,
    to_the_end,
)

NODE = Fields({"id": Keep()})
ERROR = b'{"error":"no"}'


class Echo:
    """A message that passes, and a body that says so in a header field."""

    def rewrite(self, body: bytes, *_: object) -> bytes:
        return body


class Read:
    def rewrite(self, body: bytes, headers: Mapping[str, str], run: Rewrite) -> Whole:
        return Whole(body, {"x-length": headers["x-length"]})


CASES: list[tuple[Answer, type, bytes, bytes | None]] = [
    (Document(NODE), DocumentRewriter, b'{"id":1}', None),
    (Events(NODE), EventRewriter, b'data: {"id":1}\n\n', b"data: " + ERROR + b"\n\n"),
    (Lines(NODE), LineRewriter, b'{"id":1}\n', ERROR + b"\n"),
    (Array(NODE), ArrayRewriter, b'[{"id":1}]', b"[" + ERROR + b"]"),
    (Frames(Echo()), FrameRewriter, frame(b"message"), None),
    (Body(Read()), WholeRewriter, b"octets", None),
]
"""How an API may answer, what carries it out, a body, and how it ends where it cannot go on."""


def test_every_way_to_answer_is_in_the_table_of_this_test() -> None:
    assert {type(answer) for answer, *_ in CASES} == {*get_args(Answer)}


def rewriter_of(answer: Answer, cap: int = 1 << 20) -> BodyRewriter:
    return body_rewriter(answer, {"x-length": "6"}, Rewrite({}, "m"), cap)


def given_out(machine: BodyRewriter, *pieces: bytes) -> Iterator[bytes]:
    for piece in pieces:
        yield from filter(None, machine.feed(piece))
    yield from filter(None, machine.finish())


cases = pytest.mark.parametrize(
    ("answer", "kind", "body", "last"), CASES, ids=[type(case[0]).__name__ for case in CASES]
)


@cases
def test_an_answer_of_known_fields_passes_as_it_came(
    answer: Answer, kind: type, body: bytes, last: bytes | None
) -> None:
    machine = rewriter_of(answer)
    assert isinstance(machine, kind)
    assert b"".join(given_out(machine, body)) == body
    assert machine.held == 0 or not isinstance(answer, Array | Events | Lines | Frames)
    assert machine.set_headers == ({"x-length": "6"} if isinstance(answer, Body) else {})


@cases
def test_what_is_not_known_yet_is_held_and_comes_out_the_same(
    answer: Answer, kind: type, body: bytes, last: bytes | None
) -> None:
    machine = rewriter_of(answer)
    first = b"".join(filter(None, machine.feed(body[:4])))
    assert len(first) + machine.held == 4
    assert first + b"".join(given_out(machine, body[4:])) == body


@cases
def test_how_it_ends_where_it_cannot_go_on(
    answer: Answer, kind: type, body: bytes, last: bytes | None
) -> None:
    assert rewriter_of(answer).cut(ERROR) == last


@pytest.mark.parametrize("case", [case for case in CASES if not isinstance(case[0], Document)])
def test_more_than_the_cap_is_refused(case: tuple[Answer, type, bytes, bytes | None]) -> None:
    """Of a document it bounds what is held above WHOLE; see test_document.py."""
    answer, _, body, _ = case
    with pytest.raises(UpstreamError, match=r"(larger than|are over) 5 bytes"):
        list(given_out(rewriter_of(answer, cap=5), body.replace(b"1", b"123456")))


def test_the_last_piece_of_a_body_brings_all_that_was_held_till_then() -> None:
    run = Rewrite({}, "m")
    rewriter = body_rewriter(Lines(NODE), {}, run, 100)
    assert b"".join(filter(None, to_the_end(rewriter, b'{"id":1}'))) == b'{"id":1}\n'
