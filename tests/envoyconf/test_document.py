import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.settings import Gateway, Socket, parse_upstream
from extproc.envoyconf.text import to_yaml
from extproc.gateway.binary import envoy_path
from tests.envoyconf import shipped


def test_envoys_own_pages_are_for_this_machine_alone() -> None:
    address = shipped.document()["admin"]["address"]["socket_address"]

    assert address == {"address": "127.0.0.1", "port_value": 9901}


def test_envoys_own_pages_can_be_left_out() -> None:
    assert "admin" not in bootstrap(replace(shipped.GATEWAY, admin=None))


def test_port_zero_is_written_out() -> None:
    document = bootstrap(replace(shipped.GATEWAY, admin=Socket("::1", 0)))

    assert document["admin"]["address"]["socket_address"] == {"address": "::1", "port_value": 0}


def test_the_runtime_has_no_layer_that_the_admin_page_could_change() -> None:
    assert shipped.document()["layered_runtime"] == {
        "layers": [{"name": "static", "static_layer": {}}]
    }


def test_connections_of_clients_are_bounded() -> None:
    (monitor,) = bootstrap(replace(shipped.GATEWAY, max_connections=7))["overload_manager"][
        "resource_monitors"
    ]

    assert monitor["name"] == "envoy.resource_monitors.global_downstream_max_connections"
    assert monitor["typed_config"]["max_active_downstream_connections"] == "7"


def _validate(path: Path) -> str:
    """The output of Envoy's own check, which ends with its verdict."""
    command = (envoy_path({}), "--mode", "validate", "--config-path", path)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.e2e
def test_envoy_accepts_the_bootstrap_that_ships() -> None:
    assert f"configuration '{shipped.FILE}' OK" in _validate(shipped.FILE)


@pytest.mark.e2e
@pytest.mark.parametrize("upstream", ["https://models.example:8443", "http://localhost:1"])
def test_envoy_accepts_every_kind_of_upstream(upstream: str, tmp_path: Path) -> None:
    gateway = Gateway(
        upstream=parse_upstream(upstream),
        # Any file of certificates will do; where a machine keeps its own differs.
        trusted_ca=str(Path(__file__).with_name("authority.pem")),
    )
    path = tmp_path / "envoy.yaml"
    path.write_text(to_yaml(bootstrap(gateway)), encoding="utf-8")

    assert f"configuration '{path}' OK" in _validate(path)
