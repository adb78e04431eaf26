import http.client
import json
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import version
from platform import python_version

import pytest

from extproc.rollout import Rollout
from extproc.server import admin
from extproc.server.admin import Admin
from extproc.server.short_turns import TURN
from extproc.server.telemetry import Telemetry


class Sidecar:
    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.ready = True
        self.details = list[str]()
        self.config = {"config": "0123", "problem": ""}
        self.admin = Admin(
            "127.0.0.1",
            0,
            self.telemetry,
            lambda: self.ready,
            lambda: self.details,
            lambda: self.config,
        )
        self.port = self.admin._server.server_port

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        status, body = answer.status, answer.read().decode()
        connection.close()
        return status, body


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    running = Sidecar()
    yield running
    running.admin.close()


def test_a_draining_sidecar_is_alive_and_not_ready(sidecar: Sidecar) -> None:
    assert sidecar.get("/livez") == sidecar.get("/healthz") == (200, "alive\n")
    assert sidecar.get("/readyz") == (200, "ready\n")
    sidecar.ready = False
    assert sidecar.get("/livez") == (200, "alive\n")
    assert sidecar.get("/readyz") == (503, "not ready\n")


def test_what_it_serves_without_is_told_and_keeps_it_ready(sidecar: Sidecar) -> None:
    sidecar.details = ["credential tokens: no keys: status 503"]
    assert sidecar.get("/readyz") == (200, "ready\ncredential tokens: no keys: status 503\n")


def test_metrics_are_those_of_this_sidecar(sidecar: Sidecar) -> None:
    sidecar.telemetry.checks("allowed").inc()
    sidecar.telemetry.held.set_function(lambda: 7)
    status, text = sidecar.get("/metrics")
    assert status == 200
    assert 'extproc_checks_total{outcome="allowed"} 1.0' in text
    assert "extproc_held_bytes 7.0" in text
    assert "_created" not in text
    assert Telemetry().registry is not sidecar.telemetry.registry


def test_a_scrape_lets_the_event_loop_run_often(sidecar: Sidecar) -> None:
    during = list[float]()

    def value() -> float:
        during.append(sys.getswitchinterval())
        return 0

    sidecar.telemetry.held.set_function(value)
    before = sys.getswitchinterval()
    sidecar.get("/metrics")
    assert during == [pytest.approx(TURN)]
    assert sys.getswitchinterval() == before


def test_the_policy_in_force_is_told_to_programs(sidecar: Sidecar) -> None:
    assert sidecar.get("/config") == (200, '{"config":"0123","problem":""}\n')


def test_anything_else_is_not_found(sidecar: Sidecar) -> None:
    for path in ("/", "/metrics/", "/debug", "/../livez"):
        assert sidecar.get(path)[0] == 404


def test_probes_leave_no_line_in_the_log(
    sidecar: Sidecar, capfd: pytest.CaptureFixture[str]
) -> None:
    sidecar.get("/livez")
    sidecar.get("/nothing")
    assert capfd.readouterr() == ("", "")


def test_whoever_connects_and_says_nothing_keeps_nobody_waiting_for_long(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(admin._Quiet, "timeout", 0.05)
    running = Sidecar()
    with socket.create_connection(("127.0.0.1", running.port)) as silent:
        silent.send(b"GET /met")
        assert running.get("/livez") == (200, "alive\n")
    running.admin.close()
    assert capfd.readouterr() == ("", "")


def test_whoever_asks_and_does_not_read_is_left_and_the_log_stays_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(admin._Quiet, "timeout", 0.05)
    running = Sidecar()
    running.details = ["x" * (32 << 20)]  # more than the kernel takes
    with socket.create_connection(("127.0.0.1", running.port)) as deaf:
        deaf.send(b"GET /readyz HTTP/1.0\r\n\r\n")
        assert running.get("/livez") == (200, "alive\n")
    running.admin.close()
    assert capfd.readouterr() == ("", "")


def test_the_port_is_free_after_the_end() -> None:
    running = Sidecar()
    running.admin.close()
    assert not running.admin._thread.is_alive()
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", running.port))


def test_what_runs_is_told(sidecar: Sidecar) -> None:
    status, text = sidecar.get("/version")
    assert status == 200
    assert json.loads(text) == {"version": version("extproc"), "python": python_version()}
    metrics = sidecar.get("/metrics")[1]
    told = f'python="{python_version()}",version="{version("extproc")}"'
    assert f"extproc_build_info{{{told}}} 1.0" in metrics
    assert "process_resident_memory_bytes" in metrics


@pytest.mark.parametrize(
    ("rollout", "told"),
    [
        (Rollout("enforce", 25), {"off": 0, "shadow": 0, "enforce": 25}),
        (Rollout("shadow", 25), {"off": 0, "shadow": 100, "enforce": 0}),
        (Rollout("off"), {"off": 100, "shadow": 0, "enforce": 0}),
    ],
)
def test_how_far_the_policy_is_in_force_is_told(
    sidecar: Sidecar, rollout: Rollout, told: dict[str, int]
) -> None:
    sidecar.telemetry.rolled_out(rollout)
    metrics = sidecar.get("/metrics")[1]
    for mode, percent in told.items():
        assert f'extproc_rollout_percent{{mode="{mode}"}} {percent}.0' in metrics
