from collections.abc import Iterator

import pytest

from extproc.dialects.answers import Frames, Steps
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.framing.frames import frame
from extproc.rewriter import body_rewriter
from extproc.rewriter.frames import FrameRewriter


class Reversed:
    """At once, or in three steps."""

    def __init__(self, steps: int = 0) -> None:
        self.steps = steps

    def rewrite(self, message: bytes, run: Rewrite) -> bytes | Steps[bytes]:
        run.drop("seen")
        return self._slowly(message) if self.steps else message[::-1]

    def _slowly(self, message: bytes) -> Steps[bytes]:
        for _ in range(self.steps):
            yield
        return message[::-1]


def rewriter(*, streamed: bool = False, steps: int = 0) -> FrameRewriter:
    answer = Frames(Reversed(steps), streamed=streamed)
    made = body_rewriter(answer, {}, Rewrite({}, "m"), 100)
    assert isinstance(made, FrameRewriter)
    return made


def drained(pieces: Iterator[bytes | None]) -> list[bytes | None]:
    return [*pieces]


@pytest.mark.parametrize("streamed", [True, False])
def test_a_message_gets_a_new_prefix(*, streamed: bool) -> None:
    machine = rewriter(streamed=streamed)
    body = frame(b"abc")
    assert drained(machine.feed(body[:4])) == []
    assert machine.held == 4
    assert drained(machine.feed(body[4:])) == [frame(b"cba")]
    assert drained(machine.finish()) == []
    assert machine.held == 0


def test_a_call_that_streams_may_answer_often_or_never() -> None:
    machine = rewriter(streamed=True)
    assert drained(machine.feed(frame(b"ab") * 3)) == [frame(b"ba")] * 3
    assert drained(rewriter(streamed=True).finish()) == []


def test_another_call_answers_once() -> None:
    machine = rewriter()
    pieces = machine.feed(frame(b"ab") * 2)
    assert next(pieces) == frame(b"ba")
    with pytest.raises(UpstreamError, match="more than one message"):
        next(pieces)
    with pytest.raises(UpstreamError, match="no message"):
        drained(rewriter().finish())


def test_a_message_is_held_while_it_is_worked_on() -> None:
    machine = rewriter(steps=2)
    pieces = machine.feed(frame(b"abc"))
    assert [next(pieces), machine.held] == [None, 3]
    assert drained(pieces) == [None, frame(b"cba")]
    assert machine.held == 0


def test_it_has_no_way_to_say_that_it_broke_off() -> None:
    assert rewriter().cut(b"error") is None
    assert dict(rewriter().set_headers) == {}
