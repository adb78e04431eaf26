from hypothesis import given
from hypothesis import strategies as st

from extproc.server.held import Held


def test_growth_above_the_cap_is_refused_and_shrinking_never() -> None:
    held = Held(100)
    first, second, third = held.share(), held.share(), held.share()
    assert first.keep(60)
    assert second.keep(40)
    assert not third.keep(1)
    assert first.keep(50)
    assert second.keep(40)
    assert held.total == 91


@given(
    cap=st.integers(0, 100),
    sizes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), max_size=30),
)
def test_what_is_given_back_is_what_was_taken(cap: int, sizes: list[tuple[int, int]]) -> None:
    held = Held(cap)
    kept, shares = dict.fromkeys(range(5), 0), [held.share() for _ in range(5)]
    for exchange, size in sizes:
        grown = size > kept[exchange]
        allowed = shares[exchange].keep(size)
        kept[exchange] = size
        assert held.total == sum(kept.values())
        assert allowed == (not grown or held.total <= cap)
    for share in shares:
        share.keep(0)
    assert held.total == 0
