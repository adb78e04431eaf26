"""components/redis-tls as it is rendered: a real Redis over TLS, and a real sidecar that counts in
it by the authority in its Secret.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.authority import Authority
from tests.k8s.guide import Secrets
from tests.k8s.pod import Pod, until
from tests.k8s.redis_server import redis_over_tls
from tests.k8s.rendered import SIDECAR
from tests.k8s.test_overlays import overlay, relative
from tests.stores.redis.rig import PATIENT

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Store:
    port: int
    authority: Path


@pytest.fixture(scope="module")
def server(secrets: Secrets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("t")
    authority = Authority(folder, "authority")
    found = overlay(
        folder / "overlay",
        resources=[relative("namespaces/standalone", folder / "overlay")],
        components=[relative("components/redis-tls", folder / "overlay")],
    )
    own, ca = authority.issue("redis", "127.0.0.1"), authority.own.certificate
    with redis_over_tls(folder, found, secrets, own, ca) as port:
        yield Store(port, ca)


@contextmanager
def sidecar(folder: Path, secrets: Secrets, port: int, authority: Path) -> Iterator[Pod]:
    """With what the guide has one write for TLS."""
    url = '"file:/etc/extproc/secrets/redis-url"'
    places = {
        f"url: {url}": f"url: {url}, ca: /etc/extproc/secrets/redis-ca.pem",
        "redis://": "rediss://",
        "extproc-redis:6379": f"127.0.0.1:{port}",
    }
    own = {**secrets["extproc-secrets"], "redis-ca.pem": authority.read_text()}
    pod = Pod(folder, {**secrets, "extproc-secrets": own}, places)
    try:
        pod.start(SIDECAR)
        yield pod
    finally:
        pod.kill()


def test_a_sidecar_counts_in_it_by_the_authority_in_its_secret(
    server: Store, secrets: Secrets, tmp_path: Path
) -> None:
    """Which nobody else knows: by the system's own it would not."""
    with sidecar(tmp_path, secrets, server.port, server.authority) as pod:
        until(lambda: "extproc_store_up 1.0" in pod.get(9102, "/metrics"))
        assert pod.health("") == "SERVING"


def test_in_the_clear_it_says_nothing(server: Store) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENT) as stranger:
        stranger.sendall(b"PING\r\n")
        with suppress(ConnectionResetError):
            assert not stranger.recv(64).startswith((b"+", b"-"))
