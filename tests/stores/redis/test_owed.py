import asyncio

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import Taken
from extproc.stores.redis import owed
from extproc.stores.redis.owed import Debt, Owed
from tests.stores.redis import rig


def debt(name: str, until: float = 1e9, due: float = 0.0) -> Debt:
    return Debt(Taken(name, (), (), ()), (), until, due)


class Store:
    """Fails so often."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.settled: list[str] = []

    async def settle(self, debt: Debt) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("no answer in time")
        self.settled.append(debt.taken.reservation)


async def test_what_is_owed_is_settled_in_its_order_and_tried_again() -> None:
    store = Store(failures=2)
    debts = Owed(store.settle)
    debts.start()
    for name in "abc":
        debts.add(debt(name))
    await rig.come(lambda: len(store.settled) == 3)
    assert store.settled == ["a", "b", "c"]
    debts.add(debt("d"))
    await rig.come(lambda: len(store.settled) == 4)
    await debts.close()
    assert len(debts) == debts.lost == 0


async def test_what_is_not_due_waits() -> None:
    store = Store()
    debts = Owed(store.settle)
    debts.start()
    due = asyncio.get_running_loop().time() + 0.05
    debts.add(debt("a", due=due))
    await rig.come(lambda: len(store.settled) == 1)
    assert asyncio.get_running_loop().time() >= due
    await debts.close()


async def test_what_is_behind_its_lease_is_given_up_and_counted() -> None:
    store = Store()
    debts = Owed(store.settle)
    debts.start()
    debts.add(debt("a", until=0.0))
    debts.add(debt("b"))
    await rig.come(lambda: len(store.settled) == 1)
    assert (store.settled, debts.lost) == (["b"], 1)
    await debts.close()


async def test_no_more_waits_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "MOST", 2)
    debts = Owed(Store().settle)
    for name in "abc":
        debts.add(debt(name))
    assert (len(debts), debts.lost) == (2, 1)
    await debts.close()


async def test_a_process_that_ends_settles_what_it_can() -> None:
    store = Store(failures=1)
    debts = Owed(store.settle)
    debts.add(debt("a"))
    debts.add(debt("b"))
    await debts.close()
    assert store.settled == ["a", "b"]


async def test_a_process_that_ends_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "_LAST", 0.05)
    debts = Owed(Store(failures=1_000).settle)
    debts.start()
    debts.add(debt("a"))
    await rig.passed(0.01)
    await debts.close()
    assert len(debts) == 1
