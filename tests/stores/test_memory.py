import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Limit
from extproc.stores.memory import MemoryCounters
from tests.stores.contract import CountersContract

ONE = Limit("one", "principal", max=1, window=1.0)
SLOW = Limit("slow", "principal", max=1, window=100.0)


def one(key: str) -> Charge:
    return Charge(key, ONE)


class TestMemoryCounters(CountersContract):
    def counters(self) -> MemoryCounters:
        return MemoryCounters()


async def test_a_full_store_refuses_new_keys_and_serves_known_ones() -> None:
    counters = MemoryCounters(capacity=2)
    assert await counters.take([one("a")], now=0.0) is None
    assert await counters.take([one("b")], now=0.5) is None
    with pytest.raises(StoreUnavailable, match="all 2 counters are in use"):
        await counters.take([one("c")], now=0.9)
    assert await counters.take([one("a")], now=1.0) is None
    assert await counters.take([one("a")], now=1.0) is not None


async def test_a_live_counter_is_never_forgotten() -> None:
    counters = MemoryCounters(capacity=2)
    await counters.take([Charge("slow", SLOW)], now=0.0)
    for second in range(1, 99):
        assert await counters.take([one(f"{second}")], now=float(second)) is None
        assert await counters.take([Charge("slow", SLOW)], now=float(second)) is not None
    assert await counters.take([Charge("slow", SLOW)], now=100.0) is None


async def test_a_counter_used_again_lives_longer_than_first_noted() -> None:
    counters = MemoryCounters(capacity=2)
    await counters.take([one("a")], now=0.0)
    await counters.take([one("b")], now=0.1)
    await counters.take([one("a")], now=1.0)
    assert await counters.take([one("c")], now=1.2) is None
    assert await counters.take([one("a")], now=1.2) is not None
    with pytest.raises(StoreUnavailable):
        await counters.take([one("d")], now=1.3)


async def test_what_does_not_fit_is_not_counted_at_all() -> None:
    counters = MemoryCounters(capacity=2)
    await counters.take([one("a")], now=0.0)
    with pytest.raises(StoreUnavailable):
        await counters.take([one("b"), one("c")], now=0.5)
    assert await counters.take([one("b")], now=0.5) is None


async def test_a_counter_asked_for_is_not_forgotten_for_its_neighbour() -> None:
    counters = MemoryCounters(capacity=2)
    await counters.take([one("a")], now=0.0)
    await counters.take([one("b")], now=0.5)
    assert await counters.take([one("a"), one("c")], now=1.6) is None
    assert await counters.take([one("a")], now=1.6) is not None
    assert await counters.take([one("c")], now=1.6) is not None
    with pytest.raises(StoreUnavailable):
        await counters.take([one("d")], now=1.6)


async def test_more_at_once_than_the_capacity_is_refused() -> None:
    counters = MemoryCounters(capacity=1)
    with pytest.raises(StoreUnavailable):
        await counters.take([one("a"), one("b")], now=0.0)
    with pytest.raises(StoreUnavailable):
        await MemoryCounters(capacity=0).take([one("a")], now=0.0)


async def test_a_forgotten_counter_is_not_refilled_by_a_clock_that_steps_back() -> None:
    counters = MemoryCounters(capacity=1)
    await counters.take([one("a")], now=10.0)
    await counters.take([one("b")], now=20.0)
    assert await counters.take([one("a")], now=10.5) is not None
    assert await counters.take([one("a")], now=21.0) is None


@given(
    keys=st.lists(st.sampled_from("abcdefgh"), max_size=200),
    steps=st.lists(st.sampled_from([0.0, 0.2, 0.6, 1.0]), max_size=200),
)
async def test_forgetting_changes_no_answer_and_keeps_the_bound(
    keys: list[str], steps: list[float]
) -> None:
    small, large, now = MemoryCounters(capacity=3), MemoryCounters(), 0.0
    for key, step in zip(keys, steps, strict=False):
        now += step
        try:
            answer = await small.take([one(key)], now=now)
        except StoreUnavailable:
            continue
        assert answer == await large.take([one(key)], now=now)
        assert len(small._expected) == len(small._idle) <= 3
