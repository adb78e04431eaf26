"""Envoy and its sidecar, which come and go in any order and as any user: never an open door."""

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from extproc.envoyconf.settings import Pipe
from tests.e2e import bodies
from tests.e2e.gateway import write_policy
from tests.e2e.machine import Envoy, Load, Sidecar, as_user, closing, document, serve, until
from tests.e2e.upstream import Upstream, answering

OURS, ISTIO = 65532, 1337
"""The sidecar's user and group, and the user that Istio's proxies run as."""


class Pair:
    """A sidecar and the Envoy beside it, on one Unix socket; neither is started."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        sockets, policy = folder / "sockets", folder / "policy"
        for each in (sockets, policy):
            each.mkdir()
        self.socket = sockets / "s.sock"
        self.policy = write_policy(policy, f"unix://{self.socket}")
        self.sidecar = Sidecar(self.policy)
        self.envoy = Envoy(folder, document(upstream.port, Pipe(str(self.socket))))

    def status(self) -> int:
        url = self.envoy.url + bodies.INFER
        return httpx.post(url, content=bodies.infer_request(), headers=bodies.headers()).status_code

    def load(self) -> Load:
        return Load(self.envoy.url, bodies.INFER, bodies.infer_request(), bodies.headers())


@pytest.fixture
def pair(upstream: Upstream, tmp_path: Path) -> Iterator[Pair]:
    upstream.script = answering(bodies.infer_answer())
    made = Pair(tmp_path, upstream)
    with closing(made.sidecar, made.envoy):
        yield made


def test_an_envoy_that_is_there_first_answers_503_until_the_sidecar_is(
    pair: Pair, upstream: Upstream
) -> None:
    serve(pair.envoy)
    with pair.load() as load_:
        load_.go_on(8)
        assert load_.statuses() == {503}
        assert upstream.requests == []
        pair.sidecar.start()
        until(lambda: load_.answers[-1][0] == 200)
        load_.go_on()
    assert load_.statuses() == {200, 503}
    assert {status for status, _ in load_.answers[-20:]} == {200}
    assert not load_.leaked()
    assert pair.envoy.fail_open_events() == 0


def test_a_sidecar_whose_envoy_is_gone_ends_by_itself_and_cleanly(pair: Pair) -> None:
    """With nobody to ask anything it does not wait until its drain is over."""
    text = pair.policy.read_text()
    pair.policy.write_text(text.replace("drain: 10s", "drain: 10m"))
    serve(pair.sidecar, pair.envoy)
    with pair.load() as load_:
        load_.go_on()
        pair.envoy.send(signal.SIGKILL)
        pair.envoy.ended()
    pair.sidecar.send(signal.SIGTERM)
    assert pair.sidecar.ended() == 0
    assert not load_.leaked()


def test_a_killed_sidecar_comes_back_on_the_socket_it_left(pair: Pair) -> None:
    serve(pair.sidecar, pair.envoy)
    with pair.load() as load_:
        load_.go_on()
        pair.sidecar.send(signal.SIGKILL)
        pair.sidecar.ended()
        until(lambda: load_.answers[-1][0] == 503)
        assert stat.S_ISSOCK(pair.socket.stat().st_mode)
        pair.sidecar.start()
        until(lambda: load_.answers[-1][0] == 200)
        load_.go_on()
    assert load_.statuses() <= {200, 503}
    assert {status for status, _ in load_.answers[-20:]} == {200}
    assert not load_.leaked()
    assert pair.envoy.fail_open_events() == 0


@pytest.fixture
def shared(upstream: Upstream) -> Iterator[Pair]:
    """A sidecar of its own user, whose socket is in a folder as ``fsGroup`` makes it: 2770, of its
    group.  In a folder that everybody may enter.
    """
    if os.geteuid():
        pytest.skip("only root may run programs as other users")
    upstream.script = answering(bodies.infer_answer())
    with tempfile.TemporaryDirectory(prefix="extproc-users-") as directory:
        folder = Path(directory)
        folder.chmod(0o777)
        made = Pair(folder, upstream)
        made.sidecar.user = as_user(OURS, reads=True)
        os.chown(made.socket.parent, OURS, OURS)
        made.socket.parent.chmod(0o2770)
        with closing(made.sidecar, made.envoy):
            yield made


def test_an_envoy_of_another_user_needs_the_group_of_the_socket(
    shared: Pair, upstream: Upstream
) -> None:
    shared.envoy.user = as_user(ISTIO, OURS)
    serve(shared.sidecar, shared.envoy)
    found = shared.socket.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (OURS, OURS, 0o660)
    assert shared.envoy.owner() == ISTIO
    assert shared.status() == 200
    shared.envoy.close()
    upstream.requests.clear()
    shared.envoy.user = as_user(ISTIO)
    serve(shared.envoy)
    assert shared.status() == 503
    assert upstream.requests == []
