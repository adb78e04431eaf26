"""Putting another policy of many tenants in force: how long the event loop stands still meanwhile.

A process of its own reloads again and again, while a task of its event loop comes back as soon as
it can.  What counts is the processor's time that the process uses between two turns of that task:
what other processes take of a busy machine is not ours.
"""

import asyncio
import gc
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import uvloop

from extproc.config import load_all
from extproc.server.issuers import Issuers
from extproc.server.record import Records
from extproc.server.reloader import Reloader
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from tests.bench.figures import BenchmarkError, Figure, Spread, Table
from tests.bench.loading import TENANTS
from tests.config import scale

_RELOADS: Final = 20
_TURN: Final = 0.0005
"""Seconds between two turns."""
_ASKED: Final = 4000
"""Tenants that ask between two reloads, so that something was made for them."""


def reloading() -> Table:
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        folder = Path(directory)
        scale.write_keys(folder, 0, TENANTS)
        scale.write_policy(folder, TENANTS)
        command = [sys.executable, "-m", "tests.bench.reloading", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"reloading: {done.stderr}")
    found: dict[str, list[float]] = json.loads(done.stdout)
    of = {name: Spread.of(rounds) for name, rounds in found.items()}
    return Table(
        f"Reloading a policy of {TENANTS:,} tenants",
        "before the first",
        (
            Figure("until it is in force", "s", of["s"]),
            Figure("longest block of the event loop", "ms", of["ms"], goal=5),
            Figure(f"memory, over {_RELOADS} reloads", "MB", of["MB"], of["before"]),
        ),
    )


class _Blocked:
    """The longest that the event loop stood still, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.process_time()
        self._next = asyncio.get_running_loop().call_later(_TURN, self._turn)

    def _turn(self) -> None:
        now = time.process_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        self._next = asyncio.get_running_loop().call_later(_TURN, self._turn)

    async def taken(self) -> float:
        """Since this was last asked."""
        await _waited(0.01)
        longest, self.longest = self.longest, 0.0
        return longest

    def end(self) -> None:
        self._next.cancel()


async def _waited(seconds: float) -> None:
    await asyncio.to_thread(threading.Event().wait, seconds)


async def _reload(folder: Path) -> dict[str, list[float]]:
    path = folder / "policy.yaml"
    text, first = path.read_text(), load_all(path)
    records, telemetry = Records(io.BytesIO()), Telemetry()
    issuers, tables = Issuers(first.table, records), Tables(first.table)
    made = Reloader(first, tables, issuers, telemetry, records, lambda _: None, linger=0.1)
    del first
    gc.collect()
    gc.freeze()
    found: dict[str, list[float]] = {"s": [], "ms": [], "MB": [], "before": [_memory()]}
    blocked = _Blocked()
    for number in range(_RELOADS):
        for index in range(_ASKED):
            tables.now.table.policies.get((scale.tenant(index), "POST /v1/embeddings"))
        path.write_text(text.replace("max: 20", f"max: {21 + number}"))
        await blocked.taken()
        began = time.perf_counter()
        await made.reload()
        found["s"].append(time.perf_counter() - began)
        await _waited(0.5)  # the last one is let go of
        found["ms"].append(await blocked.taken() * 1000)
        found["MB"].append(_memory())
    assert not made.problem
    blocked.end()
    await made.close()
    records.close()
    return found


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    os.environ.update(scale.ENVIRON)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_reload(Path(sys.argv[1])))))
