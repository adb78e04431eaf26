"""A nightly job: all that there is, in large batches, two at a time."""

import asyncio
from typing import Final

from extproc.redteam.benign.customer import Customer

BATCHES: Final = 20
SIZE: Final = 100


async def run(customer: Customer) -> None:
    await asyncio.gather(_half(customer), _half(customer))


async def _half(customer: Customer) -> None:
    own = customer.victim.task
    for _ in range(BATCHES // 2):
        await customer.ask(own[customer.rng.integers(len(own), size=SIZE)])
