"""What is in the image; and the image beside a real Envoy, as in a pod: probed, asked, and told to
end under load.  One file, so that one worker builds it once.
"""

import os
import re
import signal
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import grpc
import httpx
import pytest
from packaging.utils import canonicalize_name

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering
from tests.house.rules import pinned
from tests.image.builder import ROOT, Builder
from tests.image.container import SOCKETS, USER, Image
from tests.image.load import CLIENTS, QUICK, Held, Load

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING

_UNCOMPILED = """
import os, sys
import extproc.server.app
for module in list(sys.modules.values()):
    cached = getattr(module, "__cached__", None)
    if cached and not os.path.exists(cached):
        print(module.__name__)
"""
_TRACING = """
import sys
import extproc.server.app, extproc.server.tracing
print(*(name for name in ("opentelemetry.exporter", "opentelemetry.sdk.trace", "requests")
        if name in sys.modules))
from extproc.server.otlp import OtlpCollector
print(OtlpCollector.__name__)
"""


def _files(image: Image) -> list[Path]:
    return [
        Path(folder, name)
        for folder, folders, files in os.walk(image.root)
        for name in (*folders, *files)
    ]


def _installed(image: Image) -> dict[str, str]:
    described = (image.root / "opt/extproc").rglob("*.dist-info")
    pairs = (each.name.removesuffix(".dist-info").split("-") for each in described)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.fixture(scope="module")
def scripted() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(scripted: Upstream) -> Upstream:
    scripted.requests.clear()
    return scripted


@pytest.fixture
def gateway(image: Image, upstream: Upstream, folder: Path) -> Iterator[LiveGateway]:
    def inside(text: str) -> str:
        return text.replace(f"unix://{folder}", f"unix:///{SOCKETS}")

    def command(_policy: Path) -> tuple[str, ...]:
        return image.command(folder)

    with live_gateway(folder, upstream.port, policy=inside, command=command) as running:
        yield running
        assert running.fail_open_events() == 0


def _health(folder: Path, service: str) -> int:
    found = re.search(r"^health: (\S+)", (folder / "policy.yaml").read_text(), re.MULTILINE)
    assert found
    with grpc.insecure_channel(found[1]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            HealthCheckRequest.SerializeToString,
            HealthCheckResponse.FromString,
        )
        return int(check(HealthCheckRequest(service=service), timeout=10).status)


def _stopped(gateway: LiveGateway) -> bool:
    return any('"stopped"' in line for line in gateway.log)


def _processed(answers: list[httpx.Response]) -> bool:
    return not any(bodies.SECRET in answer.text for answer in answers)


def test_it_says_who_it_is_and_how_it_ends(image: Image) -> None:
    assert image.config["User"] == f"{USER}:{USER}"
    assert image.config["StopSignal"] == "SIGTERM"
    assert image.config["Entrypoint"] == ["/opt/extproc/bin/extproc"]
    labels = {
        name.removeprefix("org.opencontainers.image."): text
        for name, text in image.config["Labels"].items()
    }
    assert labels["title"] == "extproc"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["description"]
    assert (labels["version"], labels["revision"]) == ("1.2.3", "abc")


def test_its_user_can_write_nothing_of_it(image: Image) -> None:
    def writable(path: Path) -> bool:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return False
        own = USER in {status.st_uid, status.st_gid}
        return own or bool(status.st_mode & stat.S_IWOTH)

    found = {path.relative_to(image.root).as_posix() for path in _files(image) if writable(path)}
    assert found == {"tmp"}
    assert list((image.root / "tmp").iterdir()) == []


def test_nothing_in_it_runs_as_anybody_else(image: Image) -> None:
    other = stat.S_ISUID | stat.S_ISGID
    assert [path for path in _files(image) if path.lstat().st_mode & other] == []


def test_nothing_in_it_installs_packages(image: Image) -> None:
    installs = re.compile(r"(pip|setuptools|ensurepip|wheel)([-\d.].*)?")
    assert [path for path in _files(image) if installs.fullmatch(path.name)] == []


def test_it_holds_what_is_locked_and_nothing_of_the_repository_else(image: Image) -> None:
    locked = dict(pinned(ROOT / "requirements.lock"))
    del locked["setuptools"]  # built the package, and went
    assert _installed(image) == {**locked, "extproc": version("extproc")}
    assert not (image.root / "src").exists()


def test_the_bill_of_materials_names_what_is_in_it(image: Image, builder: Builder) -> None:
    document = builder.sbom()
    assert document["bomFormat"] == "CycloneDX"
    subject = document["metadata"]["component"]
    named = {
        canonicalize_name(each["name"]): each["version"]
        for each in (subject, *document["components"])
    }
    assert named == _installed(image)


def test_all_that_serving_imports_is_compiled(image: Image, folder: Path) -> None:
    assert image.said(folder, "python", "-c", _UNCOMPILED) == ""


def test_it_can_tell_a_collector_and_loads_nothing_that_tells_one_before(
    image: Image, folder: Path
) -> None:
    """The client of Redis loads the SDK's metrics wherever it finds them: 2 MB, which we do not
    choose.
    """
    assert image.said(folder, "python", "-c", _TRACING) == "\nOtlpCollector\n"


def test_its_commands_tell_of_themselves(image: Image, folder: Path) -> None:
    assert "serve" in image.said(folder, *image.config["Entrypoint"], "--help")


def test_it_serves_as_a_user_who_can_nothing_on_a_root_that_nobody_writes(
    gateway: LiveGateway, upstream: Upstream, folder: Path
) -> None:
    process = Path(f"/proc/{gateway.sidecar_pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert status["Uid"].split() == status["Gid"].split() == [str(USER)] * 4
    assert status["Groups"].split() in ([], [str(USER)])
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    root = (process / "root").readlink()
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    assert [each[5].split(",")[0] for each in mounts if each[4] in {"/", str(root)}][-1] == "ro"

    assert _health(folder, "") == _health(folder, "liveness") == SERVING
    upstream.script = answering(bodies.infer_answer())
    answer = post(gateway, bodies.INFER, bodies.infer_request())
    assert answer.status_code == 200
    assert _processed([answer])


def test_when_envoy_ends_first_as_in_a_pod_no_request_fails(
    gateway: LiveGateway, upstream: Upstream, folder: Path
) -> None:
    held, load = Held(upstream), Load(gateway)
    gateway.until(held.full)
    load.end()
    gateway.end_intake()
    gateway.kill_sidecar(signal.SIGTERM)
    gateway.until_refused()
    assert _health(folder, "") == NOT_SERVING
    assert _health(folder, "liveness") == SERVING
    held.release()

    assert load.wait() == [200] * (QUICK + CLIENTS)
    assert _processed(load.answers)
    gateway.until(lambda: _stopped(gateway))


def test_a_sidecar_that_ends_alone_finishes_what_runs_and_lets_nothing_new_pass(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    held, load = Held(upstream), Load(gateway)
    gateway.until(held.full)
    gateway.kill_sidecar(signal.SIGTERM)
    gateway.until_refused()
    new = post(gateway, bodies.INFER, bodies.infer_request())
    assert new.status_code == 503
    held.release()

    assert sorted(load.wait()) == [200] * (QUICK + CLIENTS) + [503] * CLIENTS
    assert _processed([new, *load.answers])
    assert len(upstream.requests) == QUICK + CLIENTS
    gateway.until(lambda: _stopped(gateway))
