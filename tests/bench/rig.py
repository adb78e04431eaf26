"""One Envoy with five listeners, the sidecar, its floor and a model server, each on its core."""

import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.settings import Gateway, Pipe, Socket, Upstream
from extproc.envoyconf.text import to_yaml
from extproc.gateway.binary import envoy_path
from extproc.gateway.up import serve_command
from tests.bench import bodies
from tests.bench.children import Child, child
from tests.bench.listeners import with_variants
from tests.bench.machine import Cores

_POLICY = Path(__file__).parent / "policy.yaml"


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything runs and is ready."""

    ports: Mapping[str, int]
    """By listener, on 127.0.0.1."""
    envoy: Child
    sidecar: Child
    floor: Child
    policy: Path
    cores: Cores
    _admin: str

    def require(self) -> None:
        """Raise BenchmarkError where a process has ended."""
        for each in (self.envoy, self.sidecar, self.floor):
            each.require()

    def open_streams(self) -> int:
        """Requests that the sidecar is working on."""
        stats = _get(f"{self._admin}/stats?format=json&filter=^cluster.extproc.upstream_rq_active$")
        return sum(int(each["value"]) for each in stats["stats"] if "value" in each)


@contextmanager
def rig(directory: Path, cores: Cores) -> Iterator[Rig]:
    """Start all of it, end all of it."""
    policy, floor_socket = write_policy(directory), directory / "floor.sock"
    with ExitStack() as stack:
        upstream_port = _start_upstream(stack, directory, cores)
        sidecar = stack.enter_context(
            child("sidecar", serve_command(policy), directory, cores.sidecar)
        )
        floor = _start_floor(stack, directory, cores, floor_socket)
        document = with_variants(
            bootstrap(_gateway(directory, upstream_port)), floor=str(floor_socket)
        )
        sidecar.until(lambda: answers(directory / "s.sock"))
        floor.until(lambda: answers(floor_socket))
        envoy, admin = _start_envoy(stack, directory, cores, document)
        yield Rig(_ports(admin), envoy, sidecar, floor, policy, cores, admin)


def envoy_version() -> str:
    """As in ``1.40.0``."""
    said = subprocess.run(
        [envoy_path(os.environ), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return said.strip().split("version: ")[-1].split("/")[1]


def write_policy(directory: Path) -> Path:
    """A policy with one tenant, whose key is ``bodies.KEY``; with its secret beside it."""
    secret = secrets.token_hex(32)
    (directory / "hmac").write_text(secret)
    digest = hmac.digest(secret.encode(), bodies.KEY.encode(), hashlib.sha256).hex()
    filled = {
        "LISTEN": f"unix://{directory / 's.sock'}",
        "HEALTH": f"127.0.0.1:{free_port()}",
        "PRINCIPAL": f"key:{digest}",
    }
    text = _POLICY.read_text(encoding="utf-8")
    for name, value in filled.items():
        text = text.replace(f": {name}\n", f": {value}\n").replace(f'"{name}"', f'"{value}"')
    path = directory / "policy.yaml"
    path.write_text(text)
    return path


def _gateway(directory: Path, upstream_port: int) -> Gateway:
    return Gateway(
        upstream=Upstream(Socket("127.0.0.1", upstream_port)),
        sidecar=Pipe(str(directory / "s.sock")),
        listen=Socket("127.0.0.1", 0),
        admin=Socket("127.0.0.1", 0),
    )


def _start_upstream(stack: ExitStack, directory: Path, cores: Cores) -> int:
    command = (sys.executable, "-m", "tests.bench.upstream")
    upstream = stack.enter_context(child("upstream", command, directory, cores.others))
    upstream.until(lambda: upstream.log.read_text().strip().isdigit())
    return int(upstream.log.read_text())


def _start_floor(stack: ExitStack, directory: Path, cores: Cores, path: Path) -> Child:
    # As `extproc serve` sets it for itself.
    command = (
        *("env", "GRPC_EXPERIMENTS=-event_engine_listener"),
        *(sys.executable, "-m", "tests.bench.floor", str(path)),
    )
    return stack.enter_context(child("floor", command, directory, cores.sidecar))


def _start_envoy(
    stack: ExitStack, directory: Path, cores: Cores, document: dict[str, Any]
) -> tuple[Child, str]:
    config, admin_file = directory / "envoy.yaml", directory / "envoy-admin"
    config.write_text(to_yaml(document))
    command = (
        *(str(envoy_path(os.environ)), "--config-path", str(config)),
        *("--admin-address-path", str(admin_file), "--log-level", "warning"),
        *("--concurrency", "1" if cores.pinned else "2", "--disable-hot-restart"),
    )
    envoy = stack.enter_context(child("envoy", command, directory, cores.others))
    envoy.until(lambda: admin_file.is_file() and ":" in admin_file.read_text())
    admin = f"http://{admin_file.read_text()}"
    envoy.until(lambda: _ready(admin))
    return envoy, admin


def _ready(admin: str) -> bool:
    try:
        with urllib.request.urlopen(f"{admin}/ready", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _ports(admin: str) -> dict[str, int]:
    return {
        each["name"]: each["local_address"]["socket_address"]["port_value"]
        for each in _get(f"{admin}/listeners?format=json")["listener_statuses"]
    }


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(path: Path) -> bool:
    """Whether somebody listens on this Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
