"""Somebody who asks about one input after another, as they come."""

from typing import Final

from extproc.redteam.benign.customer import Customer

INPUTS: Final = 60


async def run(customer: Customer) -> None:
    own = customer.victim.task
    for place in customer.rng.integers(len(own), size=INPUTS):
        await customer.ask(own[place][None])
