"""Memory of a sidecar on whose streams nothing moves: many callers that wait for slow models."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from extproc.gateway.up import serve_command
from tests.bench.children import child
from tests.bench.direct import waiting
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import Cores
from tests.bench.rig import answers, write_policy

_MIB: Final = 1 << 20


def idling(cores: Cores, streams: int = 10_000) -> Table:
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        folder = Path(directory)
        command = serve_command(write_policy(folder))
        with child("sidecar", command, folder, cores.sidecar) as sidecar:
            sidecar.until(lambda: answers(folder / "s.sock"))

            async def measured() -> tuple[int, int]:
                before = sidecar.resident()
                async with waiting(folder / "s.sock", streams):
                    return before, sidecar.resident()

            before, during = asyncio.run(measured())
            sidecar.require()
    return Table(
        f"Memory of the sidecar alone at {streams:,} idle streams",
        "before the first of them",
        (
            Figure("while they wait", "MiB", _once(during / _MIB), _once(before / _MIB), goal=1024),
            Figure("each of them", "KiB", _once((during - before) / streams / 1024)),
        ),
    )


def _once(value: float) -> Spread:
    return Spread.of([value])
