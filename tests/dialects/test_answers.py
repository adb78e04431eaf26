"""Which answers leave piece by piece, and so only where the request asked for a stream."""

from collections.abc import Mapping
from typing import get_args

import pytest

from extproc.dialects import Dialect, KServeV2, OpenAIChat, Status
from extproc.dialects.answers import (
    Answer,
    Array,
    Body,
    Document,
    Events,
    Frames,
    Lines,
    Whole,
    streamed,
)
from extproc.dialects.shape import Anything, Rewrite
from extproc.rewriter import body_rewriter
from tests.dialects.tiers import MODEL

NODE = Anything()


class Octets:
    def rewrite(self, body: bytes, headers: Mapping[str, str], run: Rewrite) -> Whole:
        return Whole(body, {})


class Messages:
    def rewrite(self, message: bytes, run: Rewrite) -> bytes:
        return message


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Document(NODE), False),
        (Events(NODE), True),
        (Events(NODE, named=True), True),
        (Lines(NODE), True),
        (Lines(NODE, streamed=False), False),
        (Array(NODE), True),
        (Body(Octets()), False),
        (Frames(Messages()), False),
        (Frames(Messages(), streamed=True), True),
    ],
)
def test_what_is_a_stream_must_have_been_asked_for(answer: Answer, *, expected: bool) -> None:
    assert streamed(answer) is expected


def test_a_stream_gives_out_what_it_can_before_the_end_and_a_held_one_need_not() -> None:
    pieces: dict[type, bytes] = {
        Events: b'data: {"a":1}\n\n',
        Lines: b'{"a":1}\n',
        Array: b'[{"a":1}',
        Frames: b"\0\0\0\0\1a",
    }
    for answer in (Events(NODE), Lines(NODE), Array(NODE), Frames(Messages(), streamed=True)):
        machine = body_rewriter(answer, {}, Rewrite({}, MODEL), 1 << 10)
        assert b"".join(filter(None, machine.feed(pieces[type(answer)]))) == pieces[type(answer)]
        assert machine.held == 0
    for held in (Document(NODE), Body(Octets())):
        machine = body_rewriter(held, {}, Rewrite({}, MODEL), 1 << 10)
        assert b"".join(filter(None, machine.feed(b'{"a":1}'))) == b""
        assert b"".join(filter(None, machine.finish())) == b'{"a":1}'


@pytest.mark.parametrize("dialect", [each for each in get_args(Dialect) if each is not Status])
def test_media_types_are_written_as_they_are_looked_up(dialect: type[OpenAIChat]) -> None:
    answers = dialect().answers()
    assert answers
    for media_type in answers:
        assert media_type == media_type.lower().strip()
        assert ";" not in media_type


def test_a_status_has_no_answer_and_some_apis_no_stream() -> None:
    assert Status().answers() == {}
    assert not any(map(streamed, KServeV2().answers().values()))
    assert any(map(streamed, OpenAIChat().answers().values()))
