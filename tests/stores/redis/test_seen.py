from hypothesis import given
from hypothesis import strategies as st

from extproc.stores.redis.seen import FROZEN, Seen


def test_a_group_would_be_missed_while_its_counters_say_anything() -> None:
    seen = Seen()
    assert seen.life("acme", 0) == b""
    seen.note("acme", b"one")
    assert seen.life("acme", 0) == b""
    seen.keep("acme", b"a", b"r10", 10)
    seen.keep("acme", b"b", b"r5", 5)
    assert seen.life("acme", 9) == b"one"
    assert seen.life("acme", 10) == b""
    assert seen.live(9) == ["acme"]
    assert seen.live(10) == []


def test_a_life_that_is_not_told_is_the_one_that_is_known() -> None:
    seen = Seen()
    seen.note("acme", b"one")
    seen.keep("acme", b"a", b"r10", 10)
    seen.note("acme", b"")
    assert seen.life("acme", 0) == b"one"
    seen.note("acme", b"two")
    assert seen.life("acme", 0) == b"two"
    assert seen.states("acme") == [(b"a", b"r10")]


def test_a_frozen_group_is_missed_for_ever_and_until_it_is_let_go() -> None:
    seen = Seen()
    seen.note("acme", b"one", frozen=True)
    assert seen.frozen("acme")
    assert seen.life("acme", 1 << 60) == b"one"
    seen.note("acme", b"")
    assert seen.states("acme") == [(FROZEN, b"1")]
    seen.note("acme", b"", frozen=False)
    assert not seen.frozen("acme")
    assert seen.life("acme", 0) == b""
    assert len(seen) == 0
    assert not seen.frozen("globex")


def test_of_a_group_that_is_not_noted_nothing_is_kept() -> None:
    seen = Seen()
    seen.keep("acme", b"a", b"r10", 10)
    assert len(seen) == 0
    assert seen.states("acme") == []


def test_what_makes_a_group_frozen_outlasts_its_counters() -> None:
    seen = Seen()
    seen.note("acme", b"one", frozen=True)
    for number in range(2_000):
        seen.keep("acme", b"%d" % number, b"r10", 10)
    assert seen.frozen("acme")
    assert len(seen) == len(seen.states("acme")) == 1_000


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9)), max_size=60))
def test_no_more_is_remembered_than_may_be(steps: list[tuple[str, int]]) -> None:
    seen = Seen(most=5)
    for group, name in steps:
        seen.note(group, b"one")
        seen.keep(group, b"%d" % name, b"r10", 10)
        assert len(seen) <= 5
        assert len(seen) == sum(len(seen.states(each)) for each in "abcdef")
        assert len(seen.live(0)) <= 5
