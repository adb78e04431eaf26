"""The EnvoyFilter: where it puts what, and what a captured Istio listener does with it on a real
Envoy.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from extproc.envoyconf.istio import envoy_filter
from extproc.envoyconf.references import unknown_clusters
from extproc.envoyconf.settings import Pipe
from extproc.envoyconf.text import to_yaml
from extproc.gateway.binary import envoy_path
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream
from tests.envoyconf import captured, shipped

SOCKET = Pipe("/run/extproc/extproc.sock")


def patches(**more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = envoy_filter(SOCKET, **more)["spec"]["configPatches"]
    return found


def manifest(folder: Path, sidecar: Pipe = SOCKET) -> Path:
    """The filter in the namespace of the captured pod."""
    document = envoy_filter(sidecar)
    document["metadata"]["namespace"] = captured.NAMESPACE
    (folder / "filter.yaml").write_text(to_yaml(document))
    return folder / "filter.yaml"


def test_what_it_adds_is_what_the_bootstrap_has() -> None:
    """So that what holds of one holds of the other."""
    bootstrap = shipped.document()
    cluster, *filters = [each["patch"]["value"] for each in patches()]
    assert cluster == shipped.cluster(bootstrap, "extproc")
    assert filters == [shipped.entry(bootstrap, name) for name in ("ext_authz", "ext_proc")]


def test_filters_stand_before_the_router_of_every_port_of_pods_that_have_the_sidecar() -> None:
    spec = envoy_filter(SOCKET)["spec"]
    assert spec["workloadSelector"] == {"labels": {"extproc.dev/injected": "true"}}
    assert {each["match"]["context"] for each in patches()} == {"SIDECAR_INBOUND"}
    _, *filters = patches()
    for each in filters:
        assert each["patch"]["operation"] == "INSERT_BEFORE"
        where = each["match"]["listener"]["filterChain"]["filter"]
        assert where["subFilter"] == {"name": "envoy.filters.http.router"}
        assert "portNumber" not in json.dumps(each["match"])


def test_the_sidecar_is_told_a_certificate_where_the_policy_asks_for_one() -> None:
    authorization = patches(peer_certificate=True)[1]["patch"]["value"]["typed_config"]
    assert authorization["include_peer_certificate"] is True


@captured.needed
def test_every_patch_fits_and_envoy_takes_what_comes_of_it(tmp_path: Path) -> None:
    document, chains = captured.patched(tmp_path, manifest(tmp_path), captured.INJECTED)
    assert len(chains) >= 2
    for chain in chains:
        assert chain.endswith("'ext_authz', 'ext_proc', 'router']")
    assert unknown_clusters(document) == []
    command = [str(envoy_path({})), "--mode", "validate", "-c", str(tmp_path / "istio.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@captured.needed
def test_a_pod_without_the_sidecar_is_left_as_it_is(tmp_path: Path) -> None:
    document, _ = captured.patched(tmp_path, manifest(tmp_path), {"app": "model"})
    assert "ext_proc" not in json.dumps(document)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveGateway, Upstream]]:
    folder = tmp_path_factory.mktemp("i")

    def istios(text: str) -> str:
        """Instead of our own bootstrap."""
        ours = yaml.safe_load(text)
        pipe = Pipe(shipped.cluster(ours, "extproc")["load_assignment"]["endpoints"][0][
            "lb_endpoints"][0]["endpoint"]["address"]["pipe"]["path"])  # fmt: skip
        document, _ = captured.patched(folder, manifest(folder, pipe), captured.INJECTED)
        return captured.served(document, upstream.port)

    with Upstream() as upstream, live_gateway(folder, upstream.port, bootstrap=istios) as gateway:
        upstream.script = leaking
        yield gateway, upstream


async def leaking(_: Request, reply: Reply) -> None:
    await reply.document(bodies.chat_answer(), server="models/1")


@captured.needed
@pytest.mark.e2e
def test_a_request_through_it_is_processed_and_a_strangers_is_refused(
    running: tuple[LiveGateway, Upstream],
) -> None:
    gateway, upstream = running
    answer = post(gateway, bodies.CHAT, bodies.chat_request(logprobs=True))
    assert answer.status_code == 200, answer.text
    assert bodies.SECRET not in answer.text
    assert "models/1" not in answer.headers.values()
    before = len(upstream.requests)
    with httpx.Client(base_url=gateway.url) as client:
        assert client.post(bodies.CHAT, content=bodies.chat_request()).status_code == 401
        assert client.get("/of/no/route").status_code == 401
    assert len(upstream.requests) == before


@captured.needed
@pytest.mark.e2e
def test_an_upgrade_that_istio_would_let_through_is_refused(
    running: tuple[LiveGateway, Upstream],
) -> None:
    """Istio's connection manager takes upgrades to WebSocket, whose frames nobody here reads."""
    gateway, upstream = running
    before = len(upstream.requests)
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    with httpx.Client(base_url=gateway.url) as client:
        answer = client.get("/v2/health/ready", headers={**bodies.headers(), **upgrade})
    assert answer.status_code == 404
    assert len(upstream.requests) == before
