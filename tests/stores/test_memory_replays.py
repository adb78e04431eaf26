import pytest

from extproc.errors import StoreUnavailable
from extproc.stores.memory_replays import MemoryReplays
from tests.stores.replays import AGE, NOW, ReplaysContract, once, shown


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
