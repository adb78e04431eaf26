from collections.abc import Mapping

import pytest

from extproc.dialects.answers import Body, Steps, Whole
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.rewriter import body_rewriter
from extproc.rewriter.whole import WholeRewriter


class Upper:
    """At once, or in a few steps."""

    def __init__(self, steps: int = 0) -> None:
        self.steps = steps

    def rewrite(
        self, body: bytes, headers: Mapping[str, str], run: Rewrite
    ) -> Whole | Steps[Whole]:
        whole = Whole(body.upper(), {"x-length": headers["x-length"] + "1"})
        return self._slowly(whole) if self.steps else whole

    def _slowly(self, whole: Whole) -> Steps[Whole]:
        for _ in range(self.steps):
            yield
        return whole


def rewriter(steps: int = 0) -> WholeRewriter:
    made = body_rewriter(Body(Upper(steps)), {"x-length": "7"}, Rewrite({}, "m"), 10)
    assert isinstance(made, WholeRewriter)
    return made


@pytest.mark.parametrize("steps", [0, 2])
def test_nothing_leaves_before_the_end(steps: int) -> None:
    machine = rewriter(steps)
    assert [*machine.feed(b"abc"), *machine.feed(b""), *machine.feed(b"d")] == []
    assert machine.held == 4
    assert dict(machine.set_headers) == {}
    assert [*machine.finish()] == [None] * steps + [b"ABCD"]
    assert dict(machine.set_headers) == {"x-length": "71"}


def test_it_is_bounded_before_it_is_kept() -> None:
    machine = rewriter()
    machine.feed(b"x" * 10)
    with pytest.raises(UpstreamError, match="larger than 10 bytes"):
        machine.feed(b"x")
    assert machine.held == 10


def test_it_has_no_way_to_say_that_it_broke_off() -> None:
    assert rewriter().cut(b"error") is None
