import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Limit
from extproc.stores.memory import MemoryCounters, MemoryReplays
from tests.stores.contract import CountersContract
from tests.stores.replays import AGE, NOW, ReplaysContract, once, shown

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


class TestMemoryReplays(ReplaysContract):
    def replays(self) -> MemoryReplays:
        return MemoryReplays(began=NOW - 10 * AGE)


async def test_a_full_store_takes_no_other_nonce_and_knows_those_it_has() -> None:
    replays = MemoryReplays(2, began=0.0)
    assert await replays.first(once("a"), now=NOW)
    assert await replays.first(once("b"), now=NOW)
    with pytest.raises(StoreUnavailable, match="all 2 nonces are of live signatures"):
        await replays.first(once("c"), now=NOW + AGE)
    assert not await replays.first(once("a"), now=NOW + AGE)


async def test_what_no_longer_counts_makes_room() -> None:
    replays = MemoryReplays(2, began=0.0)
    for number in range(100):
        made = NOW + number * AGE
        assert await replays.first(once(f"{number}", made), now=made + 1)
        assert len(replays._shown) == len(replays._ending) <= 2


async def test_a_crowd_is_forgotten_a_few_at_a_time() -> None:
    replays = MemoryReplays(1000, began=0.0)
    for number in range(1000):
        assert await replays.first(once(f"{number}"), now=NOW)
    later = NOW + 2 * AGE
    for number in range(10):
        assert await replays.first(once(f"later {number}", later), now=later)
    assert len(replays._shown) == 1000 - 10


async def test_what_was_forgotten_cannot_be_told_when_the_clock_steps_back() -> None:
    replays = MemoryReplays(began=0.0)
    assert await replays.first(once("a"), now=NOW)
    assert await replays.first(once("b", NOW + 2 * AGE), now=NOW + 2 * AGE)
    assert replays._shown == {"b"}
    assert await shown(replays, once("a"), NOW) is None
    assert await shown(replays, once("c"), NOW) is None
    assert await shown(replays, once("d", NOW + 1), NOW) is True


async def test_a_signature_is_told_from_those_before_the_process_began() -> None:
    replays = MemoryReplays(began=NOW)
    assert await shown(replays, once("a", NOW - 0.1)) is None
    assert await shown(replays, once("a", NOW)) is True
