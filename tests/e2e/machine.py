"""Sidecars and Envoys as processes of their own, started and ended in any order and by any user.

Rule: all of them end with the block that they were made in, and with this process.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.check import problems
from extproc.envoyconf.settings import Address, Gateway, Pipe, Socket, Upstream
from extproc.envoyconf.text import to_yaml
from extproc.gateway import launch
from extproc.gateway.binary import envoy_path
from tests.e2e import bodies

Document = dict[str, Any]
PATIENCE = 20.0
_PACE = 0.02
"""Seconds between two requests of a caller: what is tested is not how many there can be."""


def until(condition: Callable[[], bool]) -> None:
    """Ask of real processes again and again; fails after twenty seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        select.select([], [], [], 0.02)


@dataclass
class Process:
    """A program that may be started, ended and started again."""

    command: Sequence[str]
    log: Path
    user: Sequence[str] = ()
    """A command that runs another one as somebody else; see ``as_user``."""
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        launcher = (sys.executable, "-I", "-S", launch.__file__, str(os.getpid()))
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                [*launcher, *self.user, *self.command],
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    def owner(self) -> int:
        """The number of the user that it runs as."""
        return Path(f"/proc/{self.pid}").stat().st_uid

    @property
    def alive(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def send(self, number: signal.Signals) -> None:
        assert self.running is not None
        self.running.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; returns its exit code."""
        assert self.running is not None
        return self.running.wait(timeout=PATIENCE)

    def ready(self) -> None:
        """Wait until it takes requests."""
        raise NotImplementedError

    def close(self) -> None:
        if self.alive:
            assert self.running is not None
            self.running.kill()
            self.running.wait()


def as_user(user: int, *groups: int, reads: bool = False) -> tuple[str, ...]:
    """For ``Process.user``: of the group of its own number, and of these.

    ``reads`` lets it read what only root may, such as an interpreter in root's home.  It still
    connects to nothing that it may not write to (unix(7), pathname socket ownership).
    """
    more = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
    return (
        *("setpriv", "--reuid", f"{user}", "--regid", f"{user}", "--pdeathsig", "KILL"),
        *(("--groups", ",".join(map(str, groups))) if groups else ("--clear-groups",)),
        *(more if reads else ()),
    )


class Sidecar(Process):
    """``extproc serve`` of one policy file."""

    def __init__(self, policy: Path, **more: Any) -> None:
        command = (sys.executable, "-m", "extproc", "serve", "--policy", str(policy))
        super().__init__(command, policy.parent.parent / "sidecar.log", **more)
        self.policy = policy

    def told(self, event: str) -> int:
        """How often its log says so."""
        return self.log.read_text().count(f'"message":"{event}"') if self.log.exists() else 0

    def start(self) -> None:
        self._served = self.told("serving")
        super().start()

    def ready(self) -> None:
        until(lambda: self.told("serving") > self._served or not self.alive)
        assert self.alive, self.log.read_text()


class Envoy(Process):
    """In front of the scripted model server."""

    def __init__(self, folder: Path, document: Document, **more: Any) -> None:
        self._admin = folder / "admin"
        config = folder / "envoy.yaml"
        config.write_text(to_yaml(document))
        command = (
            *(str(envoy_path(os.environ)), "--config-path", str(config)),
            *("--admin-address-path", str(self._admin), "--log-level", "warning"),
            *("--concurrency", "2", "--disable-hot-restart"),
        )
        super().__init__(command, folder / "envoy.log", **more)
        self.host, self.port = "127.0.0.1", 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        self._admin.unlink(missing_ok=True)
        super().start()

    def ready(self) -> None:
        until(lambda: self._ready() or not self.alive)
        assert self.alive, self.log.read_text()
        (listener,) = self._get("/listeners?format=json")["listener_statuses"]
        self.port = listener["local_address"]["socket_address"]["port_value"]

    def stats(self, pattern: str) -> dict[str, int]:
        """Its counters and gauges whose name the pattern matches."""
        found = self._get(f"/stats?format=json&filter={pattern}")["stats"]
        return {each["name"]: each["value"] for each in found if "value" in each}

    def fail_open_events(self) -> int:
        """Streams that a sidecar ended cleanly while Envoy was not done: must stay 0."""
        closed = self.stats("ext_proc.server_half_closed$")
        failed = self.stats("ext_proc.streams_failed$")
        assert closed, "Envoy tells of no such counters"
        assert len(closed) == len(failed)
        return sum(closed.values()) - sum(failed.values())

    def _ready(self) -> bool:
        if not self._admin.is_file() or ":" not in self._admin.read_text():
            return False
        with suppress(OSError):
            self._get("/server_info")
            return bool(self.stats("^listener_manager.total_listeners_active$"))
        return False

    def _get(self, path: str) -> Any:
        url = f"http://{self._admin.read_text()}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)


def document(upstream: int, *sidecars: Address, checked: Sequence[str] = ()) -> Document:
    """The shipped configuration; several sidecars stand in one cluster, whose endpoints' health
    (``host:port`` each) Envoy asks for.
    """
    gateway = Gateway(
        upstream=Upstream(Socket("127.0.0.1", upstream)),
        sidecar=sidecars[0],
        listen=Socket("127.0.0.1", 0),
        admin=Socket("127.0.0.1", 0),
    )
    found = bootstrap(gateway)
    if len(sidecars) > 1:
        (cluster,) = (
            each for each in found["static_resources"]["clusters"] if each["name"] == "extproc"
        )
        _several(cluster, sidecars, checked)
    assert not problems(found)
    return found


def _several(cluster: Document, sidecars: Sequence[Address], checked: Sequence[str]) -> None:
    # Without traffic Envoy would check once a minute; of changes within one second it would act on
    # the first alone until that is over; and where most sidecars are ill it would ask all of them.
    cluster["health_checks"] = [
        {
            "interval": "0.2s",
            "no_traffic_interval": "0.2s",
            "timeout": "1s",
            "unhealthy_threshold": 1,
            "healthy_threshold": 1,
            "grpc_health_check": {},
        }
    ]
    cluster["common_lb_config"] = {
        "healthy_panic_threshold": {"value": 0},
        "update_merge_window": "0s",
    }
    cluster["load_assignment"]["endpoints"] = [
        {
            "lb_endpoints": [
                {
                    "endpoint": {
                        "address": _address(sidecar),
                        "health_check_config": {"port_value": int(health.rpartition(":")[2])},
                    }
                }
                for sidecar, health in zip(sidecars, checked, strict=True)
            ]
        }
    ]


def _address(address: Address) -> Document:
    match address:
        case Socket(host, port):
            return {"socket_address": {"address": host, "port_value": port}}
        case Pipe(path):
            return {"pipe": {"path": path}}


def serve(*processes: Process) -> None:
    """Start all of them, and wait until each takes requests."""
    for each in processes:
        each.start()
    for each in processes:
        each.ready()


@contextmanager
def closing(*processes: Process) -> Iterator[None]:
    try:
        yield
    finally:
        for each in reversed(processes):
            each.close()


class Load:
    """Callers that ask again and again, on connections that stay open, until the block ends.

    ``answers`` holds the status and body of each.
    """

    def __init__(self, url: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self._asked = (url, path, body, headers)
        self._stop = threading.Event()
        self._callers = [threading.Thread(target=self._ask) for _ in range(3)]

    def __enter__(self) -> Self:
        for each in self._callers:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._callers:
            each.join(timeout=PATIENCE)

    def go_on(self, answers: int = 40) -> None:
        """Wait until there are so many more."""
        goal = len(self.answers) + answers
        until(lambda: len(self.answers) >= goal)

    def statuses(self) -> set[int]:
        """That were seen; 0 where a connection broke."""
        return {status for status, _ in self.answers}

    def leaked(self) -> list[bytes]:
        """Answers that hold what nobody is to see."""
        return [body for _, body in self.answers if bodies.SECRET.encode() in body]

    def _ask(self) -> None:
        url, path, body, headers = self._asked
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self._stop.wait(_PACE):
                try:
                    answer = client.post(path, content=body, headers=dict(headers))
                except httpx.HTTPError as error:
                    self.answers.append((0, repr(error).encode()))
                else:
                    self.answers.append((answer.status_code, answer.content))
