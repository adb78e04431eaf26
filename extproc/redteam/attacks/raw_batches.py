"""Batches of one customer's own inputs, as bytes, each on a connection of its own.

Rule: everything sent is counted by the scene's meter, whichever way it went.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from extproc.redteam.answers import Floats
from extproc.redteam.raw import Enough, exchange, rendered
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene

BATCH: Final = 100
"""Inputs of a request, where nothing else is said."""


def batch(scene: Scene, key: int, count: int = BATCH) -> Request:
    """About the first of the attacker's own inputs, as often as it takes."""
    own: Floats = scene.target.task
    return scene.target.adapter.request(own.take(range(count), axis=0, mode="wrap"), key)


def answered(scene: Scene, reply: Reply, count: int = BATCH) -> int:
    """How many of a batch's inputs."""
    return int(scene.target.adapter.read(reply, count).served.sum())


def written(scene: Scene, request: Request, url: str) -> bytes:
    """With the key of whoever asks, as it stands on the wire to ``url``."""
    assert request.key is not None
    bearer = {"authorization": f"Bearer {key(scene, request.key)}"}
    return rendered(request, host(url), bearer)


def host(url: str) -> str:
    return urlsplit(url).netloc


def key(scene: Scene, place: int) -> str:
    """A server that asks for none gets one too."""
    return scene.client.keys[place] if scene.client.keys else "xk-none"


async def exchanged(
    scene: Scene,
    request: Request,
    sent: Sequence[tuple[str, bytes]],
    parallel: int,
    enough: Enough = lambda _: False,
) -> list[Reply]:
    """Answers to bytes that stand for ``request``, each sent to its URL; in their order."""
    turns = asyncio.Semaphore(parallel)

    async def one(url: str, data: bytes) -> Reply:
        async with turns:
            reply = await exchange(url, data, enough)
        scene.client.meter.count(request, reply)
        return reply

    return await asyncio.gather(*(one(url, data) for url, data in sent))
