"""Starting a sidecar: from the command to the first answer, and what it then has of memory."""

import tempfile
import time
from pathlib import Path
from typing import Final

import grpc

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from extproc.gateway.up import serve_command
from tests.bench.children import child
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import Cores
from tests.bench.rig import free_port
from tests.config import scale

TENANTS: Final = 1000
_MIB: Final = 1 << 20


def starting(cores: Cores, rounds: int = 5) -> Table:
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        folder = Path(directory)
        found = [_started(folder, cores) for _ in range(rounds)]
    seconds, cpu, memory = (Spread.of(each) for each in zip(*found, strict=True))
    return Table(
        f"Starting the sidecar with {TENANTS:,} tenants",
        "",
        (
            Figure("until it is ready", "s", seconds, goal=1.5),
            Figure("CPU until then", "s", cpu),
            Figure("memory then", "MiB", memory, goal=120),
        ),
    )


def _started(folder: Path, cores: Cores) -> tuple[float, float, float]:
    """Seconds until its health is SERVING, of CPU, and MiB of memory."""
    health = f"127.0.0.1:{free_port()}"
    scale.write_keys(folder, 0, TENANTS)
    path = scale.write_policy(folder, TENANTS)
    text = path.read_text().replace("/run/extproc.sock", f"{folder}/s.sock")
    path.write_text(text.replace("127.0.0.1:9101", health))
    command = ("env", *(f"{name}={value}" for name, value in scale.ENVIRON.items()))
    began = time.perf_counter()
    with (
        child("sidecar", (*command, *serve_command(path)), folder, cores.sidecar) as sidecar,
        grpc.insecure_channel(health, _OPTIONS) as channel,
    ):
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            HealthCheckRequest.SerializeToString,
            HealthCheckResponse.FromString,
        )

        def ready() -> bool:
            try:
                answer = check(HealthCheckRequest(), timeout=1)
            except grpc.RpcError:
                return False
            return bool(answer.status == HealthCheckResponse.SERVING)

        sidecar.until(ready)
        seconds = time.perf_counter() - began
        return seconds, sidecar.cpu(), sidecar.resident() / _MIB


_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 20),
)
"""Or a sidecar that is not there yet would be asked again a second later."""
