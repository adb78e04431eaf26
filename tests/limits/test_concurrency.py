from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import NEVER, SECOND, Concurrency

TWO = Concurrency("at-once", 2)
NOW = 1_800_000_000 * SECOND


def test_so_much_is_under_way_whatever_the_time() -> None:
    state = TWO.add(TWO.add(None, NOW, 1), NOW + 10**15, 1)
    assert TWO.level(state, NOW) == TWO.level(state, 0) == 2
    assert TWO.level(None, NOW) == 0
    assert TWO.capacity == 2
    assert TWO.cost(3) == TWO.amount(3) == 3


def test_what_ends_is_given_back_and_never_more() -> None:
    state = TWO.add(None, NOW, 2)
    state = TWO.back(state, NOW, 1, TWO.mark(state))
    assert TWO.level(state, NOW) == 1
    assert TWO.back(state, NOW, 5, 0) == 0


def test_when_something_ends_nobody_knows() -> None:
    assert TWO.wait(None, NOW, 2) == 0
    assert TWO.wait(1, NOW, 2) == SECOND
    assert TWO.wait(None, NOW, 3) == NEVER - NOW


def test_it_is_not_forgotten_while_anything_is_under_way() -> None:
    assert TWO.idle(1) == NEVER
    assert TWO.idle(0) <= NOW


@given(state=st.one_of(st.none(), st.integers(0, 9)), cost=st.one_of(st.none(), st.integers(0, 9)))
def test_nothing_is_granted_of_what_is_under_way(state: int | None, cost: int | None) -> None:
    assert TWO.grant(state, NOW, cost) == state
