from collections.abc import Iterator

import pytest

from extproc.demo.verdict import Verdict, judge


def _nothing(_: int) -> Iterator[str]:
    yield from ()


def _two(seen: int) -> Iterator[str]:
    yield f"{seen} passed"
    yield "more"


def test_a_protection_holds_where_nothing_is_found() -> None:
    assert judge({"a": _nothing, "b": _two}, 3) == [
        Verdict("a", held=True),
        Verdict("b", held=False, findings=("3 passed", "more")),
    ]


@pytest.mark.parametrize("error", [KeyError("x"), TypeError(), ValueError(), AttributeError()])
def test_what_cannot_be_checked_did_not_hold(error: Exception) -> None:
    def unreadable(_: int) -> Iterator[str]:
        yield from ()
        raise error

    (verdict,) = judge({"a": unreadable}, 0)
    assert not verdict.held
    assert "cannot be read" in verdict.findings[0]


def test_a_check_that_is_wrong_itself_is_no_verdict() -> None:
    def wrong(_: int) -> Iterator[str]:
        yield from ()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        judge({"a": wrong}, 0)
