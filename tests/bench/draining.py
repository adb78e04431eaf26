"""A sidecar that is told to end while streams run: half of them end in time, half never would."""

import asyncio
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

import grpc

from extproc.gateway.up import serve_command
from tests.bench.children import Child, child
from tests.bench.direct import Waiting, waiting
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import Cores
from tests.bench.rig import answers, write_policy

GRACE: Final = 5.0
"""Seconds that running streams have."""


def draining(cores: Cores, streams: int = 1000) -> Table:
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        folder = Path(directory)
        policy = write_policy(folder)
        policy.write_text(f"{policy.read_text()}\ndrain: {GRACE:.0f}s\n")
        with child("sidecar", serve_command(policy), folder, cores.sidecar) as sidecar:
            sidecar.until(lambda: answers(folder / "s.sock"))
            ends = asyncio.run(_drained(sidecar, folder / "s.sock", streams))
            code = sidecar.ended()
    early = sum(code is not grpc.StatusCode.OK and after < GRACE for code, after in ends)
    whole = sum(code is grpc.StatusCode.OK for code, _ in ends)
    cut = [after for code, after in ends if code is not grpc.StatusCode.OK]
    return Table(
        f"Ending a sidecar that has {streams:,} streams and a grace of {GRACE:.0f} s",
        "",
        (
            Figure("cut before the grace was over", "streams", _once(early), goal=0),
            Figure(
                "not whole of those that ended in time",
                "streams",
                _once(streams // 2 - whole),
                goal=0,
            ),
            Figure("cut when it was over, after", "s", Spread.of(cut)),
            Figure("exit code", "", _once(code), goal=0),
        ),
    )


async def _drained(sidecar: Child, path: Path, streams: int) -> list[tuple[grpc.StatusCode, float]]:
    """What each stream ended with, and how many seconds after the sidecar was told to end."""
    async with waiting(path, streams) as begun:
        sidecar.send(signal.SIGTERM)
        told = time.perf_counter()

        async def end(each: Waiting) -> tuple[grpc.StatusCode, float]:
            return await each.status(), time.perf_counter() - told

        ends = asyncio.gather(*(end(each) for each in begun))
        for each in begun[: streams // 2]:
            await each.finish()
        return await ends


def _once(value: float) -> Spread:
    return Spread.of([value])
