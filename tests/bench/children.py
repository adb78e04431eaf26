"""Processes that are measured: started on their cores, their output in a file, ended at the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from extproc.gateway import launch
from tests.bench.figures import BenchmarkError
from tests.bench.machine import on

_PATIENCE: Final = 30.0
_PAUSE: Final = 0.02


class Child:
    """A running program."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._seen = psutil.Process(process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of all its threads so far, user and system; the kernel counts in 10 ms."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def resident(self) -> int:
        """Bytes of memory it has now."""
        return int(self._seen.memory_info().rss)

    def forget_peak(self) -> None:
        """Let ``peak`` count from now (proc(5), ``clear_refs``)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def peak(self) -> int:
        """The most bytes of memory it had."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["VmHWM"].split()[0]) * 1024

    def until(self, ready: Callable[[], bool]) -> None:
        """Ask again and again.  Raise BenchmarkError where the program ends or takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            try:
                code = self._process.wait(timeout=_PAUSE)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
                raise self._fault("is not ready") from None
            raise self._fault(f"ended with code {code}")

    def require(self) -> None:
        """Raise BenchmarkError where it has ended."""
        if (code := self._process.poll()) is not None:
            raise self._fault(f"ended with code {code}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; returns its exit code."""
        return self._process.wait(timeout=_PATIENCE)

    def _fault(self, what: str) -> BenchmarkError:
        last = self.log.read_text(errors="replace").splitlines()[-10:]
        return BenchmarkError("\n".join([f"{self.name} {what}; it said last:", *last]))


@contextmanager
def child(
    name: str, command: Sequence[str], directory: Path, cores: frozenset[int]
) -> Iterator[Child]:
    """Run a program; it dies with this process, whatever kills that."""
    log = directory / f"{name}.log"
    launcher = (sys.executable, "-I", "-S", launch.__file__, str(os.getpid()))
    # A file rather than a pipe: who reads a pipe would share a core with what is measured.
    with log.open("wb") as out, on(cores):
        process = subprocess.Popen([*launcher, *command], stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Child(name, process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
