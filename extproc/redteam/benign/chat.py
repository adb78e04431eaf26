"""People who chat: nothing for a while, then several at once."""

import asyncio
from typing import Final

import orjson

from extproc.redteam.benign.customer import Customer
from extproc.redteam.request import Request

BURSTS: Final = 5
AT_ONCE: Final = 6
_PAUSE: Final = 0.2
"""Seconds between bursts."""
_QUESTIONS: Final = ("What does the license say?", "May I sell copies?", "Who holds the copyright?")


async def run(customer: Customer) -> None:
    for _ in range(BURSTS):
        asked = customer.rng.integers(len(_QUESTIONS), size=AT_ONCE)
        await asyncio.gather(*(customer.send(_request(customer.key, at)) for at in asked))
        await asyncio.sleep(_PAUSE)


def _request(key: int, question: int) -> Request:
    said = {
        "model": "tiny-lm",
        "messages": [{"role": "user", "content": _QUESTIONS[question]}],
        "max_tokens": 16,
    }
    return Request(
        "/v1/chat/completions",
        orjson.dumps(said),
        headers={"content-type": "application/json"},
        key=key,
    )
