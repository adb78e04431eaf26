from hypothesis import given
from hypothesis import strategies as st

from extproc.server.held import Held


def test_growth_above_the_cap_is_refused_and_shrinking_never() -> None:
    held = Held(100)
    assert held.change(0, 60)
    assert held.change(0, 40)
    assert not held.change(0, 1)
    assert held.change(60, 50)
    assert held.change(0, 0)
    assert held.total == 91


@given(
    cap=st.integers(0, 100),
    sizes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), max_size=30),
)
def test_what_is_given_back_is_what_was_taken(cap: int, sizes: list[tuple[int, int]]) -> None:
    held, kept = Held(cap), dict.fromkeys(range(5), 0)
    for exchange, size in sizes:
        grown = size > kept[exchange]
        allowed = held.change(kept[exchange], size)
        kept[exchange] = size
        assert held.total == sum(kept.values())
        assert allowed == (not grown or held.total <= cap)
    for size in kept.values():
        held.change(size, 0)
    assert held.total == 0
