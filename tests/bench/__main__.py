"""``python -m tests.bench``: measure, print tables, write JSON.

Exit codes: 0 measured, whether goals are met or not; 1 a request failed or a process died.
"""

import argparse
import asyncio
import gc
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from extproc.config import compile_table, load
from tests.bench import report
from tests.bench.checking import checking
from tests.bench.checks_by_store import checks_by_store
from tests.bench.counting import counting
from tests.bench.detection import detection
from tests.bench.dialects import dialects
from tests.bench.draining import draining
from tests.bench.figures import BenchmarkError, Table
from tests.bench.idling import idling
from tests.bench.latency import latency
from tests.bench.loading import loading
from tests.bench.machine import cores, facts, on
from tests.bench.marking import marking
from tests.bench.memory import idle, large
from tests.bench.own import own_code
from tests.bench.private import private
from tests.bench.redis_takes import redis_takes
from tests.bench.reloading import reloading
from tests.bench.rewriting import rewriting
from tests.bench.rig import Rig, envoy_version, rig
from tests.bench.signatures import signatures
from tests.bench.sketching import sketching
from tests.bench.starting import starting
from tests.bench.streams import events
from tests.bench.throughput import throughput
from tests.bench.ticks import ticks
from tests.bench.tokens import tokens
from tests.bench.watching import watching

_FILES = 20_000
"""Descriptors that 2,000 streams need in Envoy, at both of its sides, and some."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long it is measured: rounds, and seconds of one phase of a round."""

    rounds: int
    load: float
    paced: float
    streams: int
    idle: int = 2000


_FULL = Length(rounds=5, load=2.0, paced=5.0, streams=3)
_QUICK = Length(rounds=1, load=1.0, paced=2.0, streams=1)


def main() -> int:
    asked = _arguments()
    length = _QUICK if asked.quick else _FULL
    with _more_files(), tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        where = cores(pin=not asked.no_pin)
        found = {**facts(envoy_version()), "pinning": str(where)}
        try:
            with rig(Path(directory), where) as running:
                tables = _measure(running, length)
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return 1
    print(report.text(tables, found))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_bytes(report.to_json(tables, found))
    if asked.markdown is not None:
        report.paste(report.markdown(tables, found), asked.markdown)
    return 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each, a minute")
    parser.add_argument("--no-pin", action="store_true", help="let processes use every core")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="paste the tables between its markers"
    )
    return parser.parse_args()


def _measure(running: Rig, length: Length) -> list[Table]:
    with on(running.cores.others), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tables = runner.run(_through_envoy(running, length))
        tables += [starting(running.cores), idling(running.cores), draining(running.cores)]
    # Nothing else runs on the sidecar's core now.
    with on(running.cores.sidecar):
        table = compile_table(load(running.policy))
        gc.collect()
        gc.freeze()
        keys = 100_000 if length is _QUICK else 1_000_000
        checks = [checking(table), tokens(table), signatures(table)]
        ours = [own_code(table), *checks, *rewriting(table), private(), sketching(), marking()]
        watchers = [watching(), detection(running.cores, keys)]
        stores = [counting(), redis_takes(running.cores), checks_by_store(running.cores)]
        return [*tables, *ours, *stores, *watchers, dialects(), ticks(), loading(keys), reloading()]


async def _through_envoy(running: Rig, length: Length) -> list[Table]:
    gc.collect()
    gc.freeze()
    # First, while the sidecar's memory is as it was at its start.
    answer = await large(running, 1 if length is _QUICK else 3)
    tables = [
        *await throughput(running, length.rounds, length.load),
        await latency(running, length.streams, length.paced),
        await events(running, length.streams),
        answer,
        await idle(running, length.idle),
    ]
    running.require()
    return tables


@contextmanager
def _more_files() -> Iterator[None]:
    """Allow as many descriptors as it takes, for this process and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


if __name__ == "__main__":
    raise SystemExit(main())
