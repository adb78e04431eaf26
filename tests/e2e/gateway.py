"""A real Envoy with the shipped configuration, a real sidecar, in front of any upstream."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import select
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extproc.envoyconf.settings import Gateway, Pipe, Socket, Tls, Upstream
from extproc.envoyconf.text import to_yaml
from extproc.gateway import running as run_module
from extproc.gateway.running import Running, Setup, running
from extproc.gateway.up import serve_command

POLICY = Path(__file__).parent / "policy.yaml"
SECRET = b"end-to-end-tests-only-not-a-secret"
TENANTS = ("full", "standard", "labels", "rotated", "compared", "shadow", "slow")
KEYS = {name: f"xk-e2e-{name}" for name in TENANTS}


def principal(key: str) -> str:
    return "key:" + hmac.digest(SECRET, key.encode(), hashlib.sha256).hex()


class LiveGateway:
    """What a test needs of a running gateway: its address, its processes, its logs."""

    def __init__(self, run: Running, pipe: Path, log: list[str], admin: str) -> None:
        self._run = run
        self._pipe = pipe
        self._admin = admin
        self.log = log

    @property
    def host(self) -> str:
        return self._run.address.host

    @property
    def port(self) -> int:
        return self._run.address.port

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def sidecar_pid(self) -> int:
        return self._run.sidecar.pid

    @property
    def envoy_pid(self) -> int:
        return self._run.envoy.pid

    def kill_sidecar(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.sidecar_pid, number)

    def stats(self, pattern: str) -> dict[str, int]:
        """Envoy's counters and gauges whose name the pattern matches."""
        url = f"http://{self._run.admin}/stats?format=json"
        with urllib.request.urlopen(url, timeout=5) as response:
            stats = json.load(response)["stats"]
        return {
            item["name"]: item["value"]
            for item in stats
            if "value" in item and re.search(pattern, item["name"])
        }

    def config_dump(self) -> Any:
        """What Envoy tells of its own configuration."""
        url = f"http://{self._run.admin}/config_dump"
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)

    def end_intake(self) -> None:
        """Have Envoy take no more connections; what runs on those that are there goes on."""
        url = f"http://{self._run.admin}/drain_listeners"
        urllib.request.urlopen(url, data=b"", timeout=5).close()
        self.until(lambda: not self._takes())

    def _takes(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def active_streams(self) -> int:
        """ext_proc streams between Envoy and the sidecar that are open now."""
        stats = self.stats(r"^cluster\.\w+\.upstream_rq_active$")
        return sum(stats.values())

    def until_settled(self) -> None:
        """Wait until no exchange is under way and each that ended has been charged."""
        self.until(lambda: self.active_streams() == 0)
        self.until(lambda: self._metric("extproc_streams") == 0)
        self.until(lambda: self._metric("extproc_settling") == 0)

    def _metric(self, name: str) -> float:
        """Of the sidecar: Envoy has ended a stream before the sidecar has heard of it."""
        with urllib.request.urlopen(f"http://{self._admin}/metrics", timeout=5) as response:
            text = response.read().decode()
        return next(
            float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} ")
        )

    def until(self, condition: Callable[[], bool]) -> None:
        """Poll a condition of the real processes; fails after ten seconds."""
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            select.select([], [], [], 0.02)

    def until_refused(self) -> None:
        """Wait until the sidecar takes no more connections."""
        self.until(lambda: not self._connects())

    def _connects(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._pipe)) == 0

    def fail_open_events(self) -> int:
        """Streams that the sidecar ended cleanly while Envoy was not done: must stay 0."""
        stats = self.stats(r"ext_proc\.(server_half_closed|streams_failed)$")
        by_name = {name.rpartition(".")[2]: value for name, value in stats.items()}
        return by_name["server_half_closed"] - by_name["streams_failed"]


Change = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


@contextmanager
def live_gateway(
    directory: Path,
    upstream_port: int,
    *,
    http2: bool = False,
    policy: Change = _as_it_is,
    bootstrap: Change = _as_it_is,
    tls: Tls | None = None,
    command: Callable[[Path], tuple[str, ...]] = serve_command,
) -> Iterator[LiveGateway]:
    """Run both processes for the length of the block.

    ``http2`` says what the upstream speaks, ``tls`` how clients connect; ``policy`` and
    ``bootstrap`` may change the text of the two files; ``command`` gives another sidecar for the
    policy file.
    """
    pipe, log = directory / "s.sock", list[str]()
    file = write_policy(directory, f"unix://{pipe}", policy)
    setup = Setup(
        gateway=Gateway(
            upstream=Upstream(Socket("127.0.0.1", upstream_port), http2=http2),
            sidecar=Pipe(str(pipe)),
            listen=Socket("127.0.0.1", 0),
            admin=Socket("127.0.0.1", 0),
            tls=tls,
            peer_certificate=tls is not None,
        ),
        sidecar=command(file),
        directory=directory,
        log=log.append,
    )
    started: Future[Running] = Future()
    stop, loop = threading.Event(), asyncio.new_event_loop()

    async def hold() -> None:
        async with running(setup) as run:
            started.set_result(run)
            await loop.run_in_executor(None, stop.wait)

    def thread() -> None:
        try:
            loop.run_until_complete(hold())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    worker = threading.Thread(target=thread)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "to_yaml", lambda document: bootstrap(to_yaml(document)))
        worker.start()
        try:
            yield LiveGateway(started.result(timeout=60), pipe, log, admin(file.read_text()))
        finally:
            stop.set()
            worker.join(timeout=60)
            loop.close()


def write_policy(directory: Path, listen: str, change: Change = _as_it_is) -> Path:
    """The policy of these tests, with its secret beside it."""
    text = POLICY.read_text().replace("LISTEN", listen)
    for place in ("HEALTH", "ADMIN"):
        text = text.replace(place, f"127.0.0.1:{free_port()}")
    for name, key in KEYS.items():
        text = text.replace(f"[{name.upper()}]", f'["{principal(key)}"]')
    (directory / "hmac").write_bytes(SECRET)
    file = directory / "policy.yaml"
    file.write_text(change(text))
    return file


def admin(policy: str) -> str:
    """The address of the sidecar's admin port."""
    return policy.partition("\nadmin: ")[2].partition("\n")[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
