"""Envoy Gateway's resources: whom they are for, and what its proxies do with them."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from extproc.envoyconf.check import all_problems
from extproc.envoyconf.envoy_gateway import resources
from extproc.envoyconf.settings import Pipe, Socket
from extproc.errors import ConfigError
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream
from tests.envoyconf import edge, translated

EXAMPLE = Path(__file__).parents[2] / "k8s" / "namespaces" / "gateway" / "gateway.yaml"
SOCKET = Pipe("/run/extproc/extproc.sock")


def spec(kind: str) -> Any:
    [found] = [each["spec"] for each in resources(SOCKET) if each["kind"] == kind]
    return found


def test_both_policies_are_for_the_same_routes_and_name_the_sidecar_beside_envoy() -> None:
    backend, security, extension = resources(SOCKET)
    assert backend["spec"] == {"endpoints": [{"unix": {"path": SOCKET.path}}]}
    selectors = security["spec"]["targetSelectors"]
    assert selectors == extension["spec"]["targetSelectors"]
    assert {each["kind"] for each in selectors} == {"HTTPRoute", "GRPCRoute"}
    assert all(each["matchLabels"] == {"extproc.dev/protect": "true"} for each in selectors)
    assert {each["metadata"]["name"] for each in (backend, security, extension)} == {"extproc"}
    references = [
        spec("SecurityPolicy")["extAuth"]["grpc"]["backendRefs"],
        spec("EnvoyExtensionPolicy")["extProc"][0]["backendRefs"],
    ]
    assert (
        references
        == [[{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "extproc"}]] * 2
    )


def test_nothing_of_them_fails_open() -> None:
    security = spec("SecurityPolicy")["extAuth"]
    [extension] = spec("EnvoyExtensionPolicy")["extProc"]
    assert (security["failOpen"], extension["failOpen"]) == (False, False)
    assert (security["statusOnError"], extension["statusOnError"]) == (503, 503)
    assert extension["processingMode"] == {
        "allowModeOverride": False,
        "request": {"body": "FullDuplexStreamed"},
        "response": {"body": "FullDuplexStreamed"},
    }
    assert "shadowMode" not in json.dumps(resources(SOCKET))


def test_a_sidecar_that_is_not_in_envoys_pod_is_refused() -> None:
    with pytest.raises(ConfigError, match="no Unix socket"):
        resources(Socket("127.0.0.1", 9100))


def gateways_own(text: str, upstream: int) -> str:
    """What Envoy Gateway would make of the policies, and of what is in the example's namespace."""
    documents = yaml.safe_load_all(EXAMPLE.read_text())
    [clients] = [each for each in documents if each["kind"] == "ClientTrafficPolicy"]
    return json.dumps(translated.bootstrap(resources(edge.pipe(text)), clients, upstream))


@pytest.mark.e2e
def test_nobody_but_envoy_writes_what_envoy_tells_and_a_path_has_one_reading(
    tmp_path: Path,
) -> None:
    edge.nothing_forged_passes(tmp_path, gateways_own)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveGateway, Upstream]]:
    def gateways(text: str) -> str:
        """Instead of our own bootstrap."""
        return gateways_own(text, upstream.port)

    folder = tmp_path_factory.mktemp("g")
    with (
        Upstream() as upstream,
        live_gateway(folder, upstream.port, bootstrap=gateways) as gateway,
    ):
        upstream.script = leaking
        yield gateway, upstream


async def leaking(request: Request, reply: Reply) -> None:
    if b'"stream":true' not in request.body:
        await reply.document(bodies.chat_answer(), server="models/1")
        return
    await reply.stream_head()
    for word in ("one", "two"):
        await reply.chunk(b"data: " + bodies.chat_chunk(word) + b"\n\n")
    await reply.chunk(b"data: [DONE]\n\n")
    await reply.end()


@pytest.mark.e2e
def test_requests_of_its_routes_are_processed_and_strangers_refused(
    running: tuple[LiveGateway, Upstream],
) -> None:
    gateway, upstream = running
    answer = post(gateway, bodies.CHAT, bodies.chat_request(logprobs=True))
    assert answer.status_code == 200, answer.text
    assert bodies.SECRET not in answer.text
    assert "models/1" not in answer.headers.values()
    streamed = post(gateway, bodies.CHAT, bodies.chat_request(stream=True))
    assert streamed.text.strip().endswith("data: [DONE]")
    assert "snapshot" not in streamed.text
    before = len(upstream.requests)
    with httpx.Client(base_url=gateway.url) as client:
        assert client.post(bodies.CHAT, content=bodies.chat_request()).status_code == 401
        upgrade = {"connection": "upgrade", "upgrade": "websocket"}
        refused = client.get("/v2/health/ready", headers={**bodies.headers(), **upgrade})
    assert refused.status_code == 404
    assert len(upstream.requests) == before


@pytest.mark.e2e
def test_a_route_without_the_label_is_not_protected(
    running: tuple[LiveGateway, Upstream],
) -> None:
    """What the guide warns of."""
    gateway, _ = running
    with httpx.Client(base_url=gateway.url) as client:
        assert client.post("/open", content=b"{}").content == bodies.chat_answer()


@pytest.mark.e2e
def test_what_envoy_tells_of_itself_names_the_route_that_is_not_protected(
    running: tuple[LiveGateway, Upstream],
) -> None:
    dump = running[0].config_dump()
    [said] = all_problems([dump])
    assert "routes[0]: nobody asks the sidecar about it" in said
    text = json.dumps(dump)
    both = text.replace('"status_on_error"', '"failure_mode_allow": true, "status_on_error"')
    assert len(all_problems([json.loads(both)])) == 3


@pytest.mark.e2e
def test_a_sidecar_that_is_frozen_or_gone_lets_nothing_pass(
    running: tuple[LiveGateway, Upstream],
) -> None:
    gateway, upstream = running
    before = len(upstream.requests)
    gateway.kill_sidecar(signal.SIGSTOP)
    frozen = post(gateway, bodies.CHAT, bodies.chat_request())
    gateway.kill_sidecar(signal.SIGCONT)
    gateway.kill_sidecar()
    gateway.until_refused()
    gone = post(gateway, bodies.CHAT, bodies.chat_request())
    assert (frozen.status_code, gone.status_code) == (503, 503)
    assert len(upstream.requests) == before
