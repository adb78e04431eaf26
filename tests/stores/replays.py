"""What every Replays must do.  A store's test module subclasses this."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.credentials import Once, Replays
from extproc.errors import StoreUnavailable
from tests.stores.contract import of_every_store

NOW = 1.8e9
AGE = 60.0


def once(name: str = "a", made: float = NOW) -> Once:
    return Once(name, made, made + AGE)


async def shown(replays: Replays, what: Once, now: float = NOW) -> bool | None:
    """None where the store cannot say."""
    try:
        return await replays.first(what, now=now)
    except StoreUnavailable:
        return None


class ReplaysContract:
    """Of stores that know since ``NOW - 10 * AGE`` what was shown."""

    def replays(self) -> Replays:
        """New and empty."""
        raise NotImplementedError

    async def test_what_is_shown_again_is_not_the_first(self) -> None:
        replays = self.replays()
        assert await replays.first(once(), now=NOW)
        for later in (0.0, 1.0, AGE - 1, AGE):
            assert not await replays.first(once(), now=NOW + later)

    async def test_others_are_apart(self) -> None:
        replays = self.replays()
        assert [await replays.first(once(name), now=NOW) for name in "abc"] == [True] * 3

    async def test_one_of_many_at_once_is_the_first(self) -> None:
        replays = self.replays()
        told = await asyncio.gather(*(replays.first(once(), now=NOW) for _ in range(50)))
        assert sorted(told) == [False] * 49 + [True]

    async def test_a_clock_that_steps_back_forgets_nothing(self) -> None:
        replays = self.replays()
        assert await replays.first(once(), now=NOW)
        for number in range(50):
            await replays.first(once(f"x{number}", NOW + 9 * AGE), now=NOW + 9 * AGE)
        for back in (0.0, AGE / 2, AGE, -AGE):
            assert not await shown(replays, once(), NOW + back)

    @of_every_store
    @example(asked=[(0, 0.0, 0.0), (0, -41.0, 61.0), (0, 1.0, 20.0), (0, 0.0, 0.0)])
    @given(
        asked=st.lists(
            st.tuples(st.integers(0, 5), st.floats(-100, 100), st.floats(-100, 100)), max_size=40
        )
    )
    async def test_whatever_the_clock_does_nothing_is_the_first_twice(
        self, asked: list[tuple[int, float, float]]
    ) -> None:
        replays, firsts = self.replays(), set()
        for name, made, now in asked:
            what = once(f"{name}|{made}", NOW + made)
            if await shown(replays, what, NOW + now):
                assert what.key not in firsts
                firsts.add(what.key)

    async def test_what_may_have_been_shown_before_it_began_cannot_be_told(self) -> None:
        with pytest.raises(StoreUnavailable):
            await self.replays().first(once(made=NOW - 11 * AGE), now=NOW)
