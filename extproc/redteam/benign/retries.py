"""A client library that asks again after 429 and 503, as long after as the answer says.

What counts as refused is what it gives up: after three tries, or where it would have to wait long.
"""

import asyncio
from typing import Final

from extproc.redteam.benign.customer import Customer
from extproc.redteam.request import Reply, Request

REQUESTS: Final = 240
_TRIES: Final = 3
_LONGEST: Final = 2.0
"""Seconds that it waits at most."""
_AT_ONCE: Final = 4


async def run(customer: Customer) -> None:
    places = iter(range(REQUESTS))

    async def work() -> None:
        for place in places:
            own = customer.victim.task[place % len(customer.victim.task)]
            request = customer.victim.adapter.request(own[None], customer.key)
            customer.note(await _insisted(customer, request))

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


async def _insisted(customer: Customer, request: Request) -> Reply:
    reply = await customer.client.send(request)
    for tried in range(1, _TRIES):
        wait = pause(reply, tried)
        if wait is None:
            break
        await asyncio.sleep(wait)
        reply = await customer.client.send(request)
    return reply


def pause(reply: Reply, tried: int) -> float | None:
    """Seconds to wait after so many tries; None where it is served, or to be given up."""
    if reply.status not in {429, 503}:
        return None
    said = reply.header("retry-after") or ""
    wait = float(said) if said.isdigit() else 0.1 * 2**tried
    return wait if wait <= _LONGEST else None
