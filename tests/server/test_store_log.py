"""What the log says of a store that goes away: a real one, killed and begun anew."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Rate, Taken
from extproc.server.record import Records
from extproc.server.store_log import StoreLog
from extproc.stores.opened import Opened, open_store
from tests.config.example import changed, loaded
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

CHARGE = Charge(Rate("burst/1s", 1_000_000, 1_000_000), "acme", "alice", 1)
LOST = "the connection is lost"


class Log:
    """The lines of a sidecar about its store."""

    def __init__(self) -> None:
        self._sink = io.BytesIO()
        self.records = Records(self._sink)

    def lines(self) -> list[dict[str, Any]]:
        """All of them, when no more come."""
        self.records.close()
        return [orjson.loads(line) for line in self._sink.getvalue().splitlines()]


@asynccontextmanager
async def following(
    folder: Path, server: Server, log: Log, more: str = "", pause: float = 0.0
) -> AsyncIterator[Opened]:
    text = changed(("store: {kind: memory}", f'store: {{kind: redis, url: "env:URL"{more}}}'))
    config = loaded(folder, text)
    told = StoreLog(config.settings.store, log.records, pause)
    store = open_store(config, {"URL": server.url}, told.changed)
    await store.start()
    running = asyncio.create_task(told.run(store.redis))
    try:
        yield store
    finally:
        running.cancel()
        await store.close()


async def reached(store: Opened, *, up: bool) -> None:
    """Wait until it is, or is not, and everybody has been told."""
    redis = store.redis
    assert redis is not None

    async def so() -> bool:
        return redis.up is up

    await rig.come_async(so)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _taken(store: Opened) -> bool:
    try:
        return isinstance(await store.counters.take([CHARGE], final=True), Taken)
    except StoreUnavailable:
        return False


async def test_a_line_is_written_when_it_goes_and_one_when_it_is_back(tmp_path: Path) -> None:
    log = Log()
    with rig.servers() as (server,):
        async with following(tmp_path, server, log) as store:
            server.kill()
            await reached(store, up=False)
            for _ in range(3):
                assert not await _taken(store)
            server.start()
            await reached(store, up=True)
            await rig.come_async(lambda: _taken(store))
    away, back = log.lines()
    times = away.pop("time"), back.pop("time"), back.pop("seconds")
    assert times[0] < times[1]
    assert away == {
        "level": "error",
        "message": "store away",
        "problem": LOST,
        "requests": "refused with 503",
    }
    assert back == {"level": "info", "message": "store back", "requests": "counted there again"}


@pytest.mark.parametrize(
    ("more", "level", "requests"),
    [
        (", on_failure: {local: 0.1}", "warning", "counted here, up to 0.1 of each limit"),
        (", slices: {}", "error", "served from slices that are held, then refused with 503"),
    ],
)
async def test_it_says_what_becomes_of_requests_and_who_cannot_be_reached_at_all_is_told_too(
    tmp_path: Path, more: str, level: str, requests: str
) -> None:
    log = Log()
    with rig.servers() as (server,):
        server.kill()
        async with following(tmp_path, server, log, more) as store:
            await reached(store, up=False)
    [away] = log.lines()
    assert (away["level"], away["requests"]) == (level, requests)
    assert away["problem"] == "it cannot be reached: Connection refused"


async def test_of_what_comes_and_goes_within_a_pause_only_the_end_is_told(tmp_path: Path) -> None:
    log = Log()
    with rig.servers() as (server,):
        async with following(tmp_path, server, log, pause=60.0) as store:
            for _ in range(2):
                server.kill()
                await reached(store, up=False)
                server.start()
                await reached(store, up=True)
    assert [line["message"] for line in log.lines()] == ["store away"]


async def test_a_store_in_memory_never_goes_away(tmp_path: Path) -> None:
    log = Log()
    await StoreLog(loaded(tmp_path).settings.store, log.records).run(None)
    assert log.lines() == []
