"""A monitoring probe: the same question again and again, whatever the answer."""

from typing import Final

from extproc.redteam.benign.customer import Customer

PROBES: Final = 40


async def run(customer: Customer) -> None:
    for _ in range(PROBES):
        await customer.ask(customer.victim.task[:1])
