"""What docs/dashboards.py draws is measured here: real sidecars and Envoys as of two namespaces, a
Redis, real models behind them, and a Prometheus that has the rules of k8s/monitoring.

Rule: labels are those that components/monitoring has Prometheus write.  There is no cluster: what
kube-state-metrics would tell of one is a text below.
"""

import hashlib
import hmac
import json
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

from extproc.demo.model_server import model_server
from extproc.detectors.calibration import Calibration, Threshold, seal, sketching_key
from extproc.detectors.reference import encode
from extproc.envoyconf.settings import Gateway, Pipe, Socket, Upstream
from extproc.gateway import probe
from extproc.gateway.beside import URL, start_redis
from extproc.gateway.process import Child, Log
from extproc.gateway.running import Running, Setup, running
from extproc.gateway.up import serve_command
from tests.detectors.questions import reference
from tests.k8s.rendered import one

POLICY = Path(__file__).parent / "dashboards_policy.yaml"
SECRET = b"for pictures in the documents, and no secret"
KEYS = {name: f"xk-dashboards-{name}" for name in ("acme", "globex", "hooli", "copycat")}
PODS = {"search-0": "search", "search-1": "search", "triage-0": "triage"}
"""By namespace: one that is in force, of two replicas, and one on trial."""
MODES = {"search": "enforce", "triage": "shadow"}
SCRAPE = 2
"""Seconds between two looks of Prometheus."""
THRESHOLD = Threshold(8.0, {}, 3000, 3000, 0, 0.0, 0.001)
"""Nats, as a calibration of the callers' questions finds."""


def in_the_cluster() -> str:
    """As kube-state-metrics would tell of the pods."""
    spaces = "".join(
        f'kube_namespace_labels{{namespace="{space}",label_extproc_dev_inject="enabled",'
        f'label_extproc_dev_mode="{mode}"}} 1\n'
        for space, mode in MODES.items()
    )
    return spaces + "".join(
        f'kube_pod_labels{{namespace="{space}",pod="{pod}",label_extproc_dev_protect="true"}} 1\n'
        f'kube_pod_init_container_info{{namespace="{space}",pod="{pod}",container="extproc"}} 1\n'
        f'kube_pod_status_phase{{namespace="{space}",pod="{pod}",phase="Running"}} 1\n'
        for pod, space in PODS.items()
    )


@dataclass(frozen=True, slots=True)
class Pod:
    policy: Path
    admin: Socket
    run: Running


@dataclass(frozen=True, slots=True)
class Stack:
    pods: dict[str, Pod]
    redis: Child
    prometheus: Socket


@asynccontextmanager
async def stack(folder: Path, data: Path) -> AsyncIterator[Stack]:
    """All of it for the length of the block; Prometheus keeps what it has seen in ``data``."""
    async with AsyncExitStack() as ends:
        file = ends.enter_context((folder / "log").open("w"))
        log: Log = lambda line: print(line, file=file, flush=True)  # noqa: E731
        others = ends.enter_context(_others())
        models = await ends.enter_async_context(
            model_server(log, probe.free_port(), ("digits", "minilm"))
        )
        await models.ready()
        pipe, redis = await start_redis(folder, log, ends)
        pods = {}
        for name in PODS:
            place = _written(folder / name, others)
            setup = _setup(place, models.address, pipe, log)
            run = await ends.enter_async_context(running(setup))
            pods[name] = Pod(place / "policy.yaml", _admin(place), run)
        pages = await prometheus(folder, data, _scraped(pods, others), log, ends)
        yield Stack(pods, redis, pages)


async def prometheus(
    folder: Path, data: Path, scraped: list[object], log: Log, ends: AsyncExitStack
) -> Socket:
    """Where its pages are."""
    rules, file = folder / "rules.json", folder / "prometheus.json"
    rules.write_text(json.dumps(one("monitoring", "PrometheusRule")["spec"]))
    intervals = {"scrape_interval": f"{SCRAPE}s", "evaluation_interval": f"{SCRAPE}s"}
    file.write_text(
        json.dumps({"global": intervals, "rule_files": [str(rules)], "scrape_configs": scraped})
    )
    pages = Socket("127.0.0.1", probe.free_port())
    command = (
        *("prometheus", f"--config.file={file}", f"--web.listen-address={pages}"),
        *(f"--storage.tsdb.path={data}", "--log.level=warn"),
    )
    child = await Child.start("prometheus", command, environment=os.environ, log=log)
    ends.push_async_callback(child.stop)
    await probe.until(lambda: probe.ready(pages, "/-/ready"), child)
    return pages


def principal(key: str) -> str:
    return "key:" + hmac.digest(SECRET, key.encode(), hashlib.sha256).hex()


def rewrite(policy: Path, old: str, new: str) -> None:
    """Put another file in its place, as an editor does."""
    other = policy.with_suffix(".new")
    other.write_text(policy.read_text().replace(old, new))
    other.rename(policy)


def _written(place: Path, others: int) -> Path:
    """The folder with all that a sidecar reads."""
    place.mkdir()
    calibration = Calibration(
        encode(reference(sketching_key(SECRET))), 0.7, {"user": THRESHOLD}, 0.0
    )
    (place / "hmac").write_bytes(SECRET)
    (place / "reference").write_bytes(seal(calibration, SECRET))
    (place / "alerts").write_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    key = str(place / "audit.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    namespace = PODS[place.name]
    places = {
        "SOCKET": str(place / "s"),
        "HEALTH": f"127.0.0.1:{probe.free_port()}",
        "ADMIN": f"127.0.0.1:{probe.free_port()}",
        "NAMESPACE": namespace,
        "MODE": MODES[namespace],
        "RECEIVER": f"http://127.0.0.1:{others}/",
        **{name.upper(): principal(key) for name, key in KEYS.items()},
    }
    (place / "policy.yaml").write_text(Template(POLICY.read_text()).substitute(places))
    return place


def _admin(place: Path) -> Socket:
    [line] = [each for each in (place / "policy.yaml").read_text().splitlines() if "admin:" in each]
    host, _, port = line.removeprefix("admin: ").partition(":")
    return Socket(host, int(port))


def _setup(place: Path, models: Socket, redis: Pipe, log: Log) -> Setup:
    gateway = Gateway(
        upstream=Upstream(models),
        sidecar=Pipe(str(place / "s")),
        listen=Socket("127.0.0.1", 0),
        admin=Socket("127.0.0.1", 0),
    )
    command = serve_command(place / "policy.yaml")
    return Setup(gateway, command, place, log, 1, {URL: str(redis)})


def _scraped(pods: dict[str, Pod], others: int) -> list[object]:
    """By a PodMonitor's labels."""
    cluster = _target(f"127.0.0.1:{others}", {})
    found: list[object] = [
        {"job_name": "kube-state-metrics", "honor_labels": True, **cluster},
    ]
    for name, pod in pods.items():
        labels = {"namespace": PODS[name], "pod": name}
        mine = {**labels, "container": "extproc", "endpoint": "extproc-metrics"}
        envoys = {**labels, "container": "envoy", "endpoint": "envoy-stats"}
        found += [
            {"job_name": f"{name}/extproc", **_target(str(pod.admin), mine)},
            {
                "job_name": f"{name}/envoy",
                "metrics_path": "/stats/prometheus",
                **_target(str(pod.run.admin), envoys),
            },
        ]
    return found


def _target(address: str, labels: dict[str, str]) -> dict[str, object]:
    return {"static_configs": [{"targets": [address], "labels": labels}]}


@contextmanager
def _others() -> Iterator[int]:
    """The port of kube-state-metrics, and of a receiver of alerts that refuses the first."""
    refused = [True]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, in_the_cluster().encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._say(503 if refused else 204)
            refused.clear()

        def _say(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is told of requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
