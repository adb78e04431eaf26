"""What a client sees: how long an answer took, and how long it is.

Both requests of a pair go out on the same connections in an order drawn with a fixed seed, so that
whatever else the machine does happens to both alike.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from tests.e2e.gateway import LiveGateway, live_gateway
from tests.sidechannels.pairs import Pair
from tests.sidechannels.statistics import Samples

GRID = 0.25
"""Seconds; of the shaped gateway."""
_SHAPED = f"\ntiming: {{grid: {GRID * 1000:.0f}ms}}\nlength: {{buckets: 1024}}\n\nroutes:"
CONNECTIONS = 40


@dataclass
class Seen:
    """Of one request: seconds from its last byte to the last of its answer, and bytes of body."""

    seconds: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    @property
    def time(self) -> Samples:
        return np.array(self.seconds)

    @property
    def length(self) -> Samples:
        return np.array(self.lengths, np.float64)


def shaped(policy: str) -> str:
    assert "\nroutes:" in policy
    return policy.replace("\nroutes:", _SHAPED, 1)


@contextmanager
def gateway(directory: Path, *, shape: bool) -> Iterator[LiveGateway]:
    """A gateway in front of a model server of its own."""
    command = [sys.executable, "-m", "tests.sidechannels.model_server"]
    directory.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        change = shaped if shape else str
        try:
            with live_gateway(directory, port, policy=change) as running:
                yield running
        finally:
            server.terminate()


def sample(
    running: LiveGateway, pair: Pair, count: int, connections: int = CONNECTIONS
) -> tuple[Seen, Seen]:
    """So many answers to each of a pair."""
    order = [pair.one, pair.other] * count
    random.Random(1).shuffle(order)
    seen = {pair.one: Seen(), pair.other: Seen()}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_sample(running, order, seen, connections))
    return seen[pair.one], seen[pair.other]


async def _sample(
    running: LiveGateway, order: list[bytes], seen: dict[bytes, Seen], count: int
) -> None:
    waiting = iter(order)
    clients = [_client(running, waiting, seen, number / count * GRID) for number in range(count)]
    await asyncio.gather(*clients)


async def _client(
    running: LiveGateway, waiting: Iterator[bytes], seen: dict[bytes, Seen], offset: float
) -> None:
    """The offsets keep the grid from having all of them ask at once."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    await _pass(offset)
    for request in waiting:
        begun = time.perf_counter()
        writer.write(request)
        length = await _answer(reader)
        seen[request].seconds.append(time.perf_counter() - begun)
        seen[request].lengths.append(length)
    writer.close()


async def _pass(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


async def _answer(reader: asyncio.StreamReader) -> int:
    """Bytes of one answer's body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        return await _chunks(reader)
    length = int(_field(head, b"content-length"))
    await reader.readexactly(length)
    return length


async def _chunks(reader: asyncio.StreamReader) -> int:
    total = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        total += size
    await reader.readline()
    return total


def _field(head: bytes, name: bytes) -> Any:
    return next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(name))
