"""One process of many: replicas of a sidecar that take from one budget until nothing is left."""

import asyncio
import sys

import uvloop

from extproc.limits import Calendar, Charge, Concurrency, Periods, Taken
from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.address import address
from extproc.stores.redis.counters import Shape
from extproc.stores.redis.link import Access
from extproc.stores.redis.servers import Single

BUDGET = 1_200
AT_ONCE = 40
DAILY = Calendar("daily/day", max=BUDGET, periods=Periods("lifetime"))
WAY = Concurrency("way", max=AT_ONCE)
CHARGES = (Charge(DAILY, "acme", "", 3), Charge(WAY, "acme", "", 1))


async def replica(url: str, prefix: str, tasks: int, takes: int) -> int:
    """How much of the budget it has had."""
    store = RedisAccounts(Single(Access(address(url), 30.0)), Shape(prefix=prefix, wait=30.0))
    await store.start()
    had = 0

    async def worker(number: int) -> None:
        nonlocal had
        for turn in range(takes):
            outcome = await store.take(CHARGES)
            if isinstance(outcome, Taken):
                spent = (turn + number) % 4
                had += spent
                await store.settle(outcome, [spent, 0])

    await asyncio.gather(*(worker(number) for number in range(tasks)))
    await store.close()
    return had


async def main(url: str, prefix: str, replicas: int, tasks: int, takes: int) -> None:
    had = await asyncio.gather(*(replica(url, prefix, tasks, takes) for _ in range(replicas)))
    print(sum(had))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])))
