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

from extproc.envoyconf.check import all_problems
from extproc.envoyconf.istio import envoy_filter
from extproc.envoyconf.references import unknown_clusters
from extproc.envoyconf.settings import Pipe
from extproc.envoyconf.text import to_yaml
from extproc.gateway.binary import envoy_path
from extproc.origin import JA4
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream
from tests.envoyconf import captured, edge, shipped

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
    cluster, manager, *filters = [each["patch"]["value"] for each in patches()]
    assert cluster == shipped.cluster(bootstrap, "extproc")
    assert filters == [shipped.entry(bootstrap, name) for name in ("ext_authz", "ext_proc")]
    ours, fields = shipped.manager(bootstrap), manager["typed_config"]
    common = fields.pop("common_http_protocol_options")
    assert common.items() <= ours["common_http_protocol_options"].items()
    assert fields == {name: ours[name] for name in fields}
    assert fields.keys() == {
        *("@type", "merge_slashes", "path_with_escaped_slashes_action"),
        "early_header_mutation_extensions",
    }


def test_filters_stand_before_the_router_of_every_port_of_pods_that_have_the_sidecar() -> None:
    spec = envoy_filter(SOCKET)["spec"]
    assert spec["workloadSelector"] == {"labels": {"extproc.dev/injected": "true"}}
    assert {each["match"]["context"] for each in patches()} == {"SIDECAR_INBOUND"}
    _, manager, *filters = patches()
    assert "portNumber" not in json.dumps(manager["match"])
    for each in filters:
        assert each["patch"]["operation"] == "INSERT_BEFORE"
        where = each["match"]["listener"]["filterChain"]["filter"]
        assert where["subFilter"] == {"name": "envoy.filters.http.router"}
        assert "portNumber" not in json.dumps(each["match"])


def test_the_sidecar_is_told_a_certificate_where_the_policy_asks_for_one() -> None:
    authorization = patches(peer_certificate=True)[2]["patch"]["value"]["typed_config"]
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


@captured.needed
@pytest.mark.e2e
def test_nobody_but_envoy_writes_what_envoy_tells_and_a_path_has_one_reading(
    tmp_path: Path,
) -> None:
    def istios(text: str, upstream: int) -> str:
        pipe = edge.pipe(text)
        document, _ = captured.patched(tmp_path, manifest(tmp_path, pipe), captured.INJECTED)
        return captured.served(document, upstream)

    edge.nothing_forged_passes(tmp_path, istios)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveGateway, Upstream]]:
    folder = tmp_path_factory.mktemp("i")

    def istios(text: str) -> str:
        """Instead of our own bootstrap."""
        document, _ = captured.patched(folder, manifest(folder, edge.pipe(text)), captured.INJECTED)
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
def test_what_envoy_tells_of_itself_is_found_to_fail_closed(
    running: tuple[LiveGateway, Upstream],
) -> None:
    dump = running[0].config_dump()
    assert all_problems([dump]) == []
    text = json.dumps(dump)
    open_ = text.replace('"status_on_error"', '"failure_mode_allow": true, "status_on_error"')
    assert len(all_problems([json.loads(open_)])) == 2
    assert all_problems([json.loads(text.replace(JA4, "x-other"))]) != []


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
