"""The machine a figure belongs to, and the cores that processes are kept on."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the sidecar runs, and where everything else does; the same cores where not pinned."""

    sidecar: frozenset[int]
    others: frozenset[int]

    @property
    def pinned(self) -> bool:
        return self.sidecar.isdisjoint(self.others)

    def __str__(self) -> str:
        if not self.pinned:
            return f"not pinned, {len(self.sidecar)} cores"
        return f"sidecar on core {min(self.sidecar)}, all else on core {min(self.others)}"


def cores(*, pin: bool) -> Cores:
    """One core for each side: on more, threads that hop between them would be what is measured."""
    usable = sorted(os.sched_getaffinity(0))
    if not pin or len(usable) < 2:
        return Cores(frozenset(usable), frozenset(usable))
    return Cores(frozenset(usable[-1:]), frozenset(usable[:1]))


@contextmanager
def on(where: frozenset[int]) -> Iterator[None]:
    """Run this thread, and what it starts inside, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, where)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def facts(envoy: str) -> dict[str, Any]:
    """What a reader needs to compare figures; ``envoy`` is its version."""
    packages = ("grpcio", "protobuf", "uvloop", "orjson", "msgspec", "numpy")
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "kernel": platform.release(),
        "python": sys.version.partition(" ")[0],
        "envoy": envoy,
        **{name: metadata.version(name) for name in packages},
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
