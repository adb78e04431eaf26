"""One pod, from nothing to enforced and back, and its end: a real sidecar, Envoy and Redis."""

import hashlib
import hmac
import http.client
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e import bodies
from tests.e2e.upstream import Reply, Request, Upstream
from tests.k8s import pod as pods
from tests.k8s.dashboards import NAMES, dashboard, of_envoy
from tests.k8s.guide import Secrets
from tests.k8s.pod import Pod, until
from tests.k8s.policies import base
from tests.k8s.rendered import SIDECAR
from tests.k8s.test_monitoring import series
from tests.stores.redis.rig import Server
from tests.test_main import within

pytestmark = pytest.mark.e2e

KEY = "xk-of-a-test"
NOBODY = "0" * 64


async def leaking(_: Request, reply: Reply) -> None:
    await reply.document(bodies.infer_answer())


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as found:
        found.script = leaking
        yield found


@pytest.fixture(scope="module")
def pod(
    upstream: Upstream, store: Server, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pod]:
    secret = secrets["extproc-secrets"]["hmac"].strip().encode()
    places = {
        "port_value: 8000": f"port_value: {upstream.port}",
        "extproc-redis:6379": f"127.0.0.1:{store.port}",
        NOBODY: hmac.digest(secret, KEY.encode(), hashlib.sha256).hex(),
    }
    with pods.running(tmp_path_factory.mktemp("p"), secrets, places) as found:
        yield found


def ask(pod: Pod, key: str = KEY) -> httpx.Response:
    fields = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    url = f"http://127.0.0.1:{pod.ports[8080]}{bodies.INFER}"
    return httpx.post(url, content=bodies.infer_request(), headers=fields)


def promote(pod: Pod, mode: str, percent: int = 100) -> None:
    """Another component of the mode, brought there as the kubelet does it."""
    assert set(pod.files("extproc-platform")) == {"base.yaml"}
    text = base(mode).read_text()
    assert percent == 100 or "percent: 100" in text
    text = text.replace("percent: 100", f"percent: {percent}")
    pod.volumes["extproc-platform"].swap({"base.yaml": text})
    share = f'extproc_rollout_percent{{mode="{mode}"}} {percent}.0'
    until(lambda: share in pod.get(9102, "/metrics"))


def test_its_probes_pass_and_only_those_that_ask_what_there_is(pod: Pod) -> None:
    probes = [pod.containers[SIDECAR][f"{name}Probe"]["grpc"] for name in ("readiness", "liveness")]
    assert [each.get("service", "") for each in probes] == ["", "liveness"]
    assert {pod.health(each.get("service", "")) for each in probes} == {"SERVING"}
    assert pod.health("misspelt") == ""
    assert pod.get(9103, pod.containers["envoy"]["readinessProbe"]["httpGet"]["path"]) == "LIVE\n"


def test_it_is_promoted_and_taken_back_without_a_restart(pod: Pod) -> None:
    stranger, whole = "xk-of-a-stranger", bodies.infer_answer()
    assert ask(pod, stranger).content == whole, "the overlay begins in the shadow"
    assert ask(pod).content == whole
    told = pod.get(9102, "/metrics")
    assert 'extproc_exchanges_total{outcome="shadow:served"} 1.0' in told
    assert 'extproc_exchanges_total{outcome="shadow:key_unknown"} 1.0' in told

    promote(pod, "enforce", 10)
    assert ask(pod, stranger).content == whole, "strangers are met last"
    promote(pod, "shadow")
    promote(pod, "enforce", 99)
    assert ask(pod, stranger).content == whole
    assert bodies.SECRET not in ask(pod).text

    promote(pod, "enforce")
    assert ask(pod, stranger).status_code == 401
    known = ask(pod)
    assert known.status_code == 200
    assert bodies.SECRET not in known.text
    assert "0.6,0.27,0.12" in known.text
    assert "extproc_store_up 1.0" in pod.get(9102, "/metrics")

    promote(pod, "shadow")
    assert ask(pod, stranger).content == whole
    promote(pod, "off")
    assert ask(pod, stranger).content == whole
    promote(pod, "enforce")
    assert ask(pod, stranger).status_code == 401


def test_an_operator_asks_it_by_a_command_in_its_container(pod: Pod) -> None:
    told = within("tenants", "--policy", pod.here("/etc/extproc/policy/policy.yaml"))
    assert told.returncode == 0, told.stderr
    assert "acme" in told.stdout


def test_envoy_tells_its_series_and_nothing_else_of_its_admin(pod: Pod) -> None:
    text = pod.get(9103, "/stats/prometheus")
    told = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines()}
    assert {each for each in series() if each.startswith("envoy_")} - told == set()
    address = f"http://127.0.0.1:{pod.ports[9103]}"
    for path in ("/", "/config_dump", "/stats", "/quitquitquit", "/drain_listeners?graceful"):
        assert httpx.get(address + path).status_code == 404
        assert httpx.post(address + path).status_code == 404
    assert httpx.post(f"{address}/ready").status_code == 404


def test_envoy_tells_what_dashboards_ask_of_it(pod: Pod) -> None:
    told: dict[str, set[str]] = {}
    for line in pod.get(9103, "/stats/prometheus").splitlines():
        name, _, labels = line.partition("{")
        told.setdefault(name, {"namespace"}).update(re.findall(r'(\w+)="', labels))
    for name in NAMES:
        for asked in of_envoy(dashboard(name)):
            assert asked.metric in told
            assert asked.labels - told[asked.metric] == set(), asked.metric


def test_it_ends_without_a_failed_request(pod: Pod) -> None:
    """In the kubelet's order.  Connections are closed by answers, while the model server is there;
    then Envoy ends, and the sidecar, which has nothing left to wait for.
    """
    connection = http.client.HTTPConnection("127.0.0.1", pod.ports[8080], timeout=30)
    kept = answered(connection)
    assert kept
    pod.hook()
    while kept:
        kept = answered(connection)
    connection.close()
    assert pod.end("envoy") == 0
    assert pod.end(SIDECAR) == 0


def answered(connection: http.client.HTTPConnection) -> bool:
    """Whether the connection is still open behind an answer."""
    fields = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    connection.request("POST", bodies.INFER, bodies.infer_request(), fields)
    answer = connection.getresponse()
    answer.read()
    # 429: the policy has 20 in a second.
    assert answer.status in {200, 429}
    return not answer.will_close
