"""Two sidecars behind one Envoy that count in one Redis: one may go, and no caller notices."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import httpx
import pytest

from extproc.config import load
from extproc.envoyconf.settings import Socket, parse_socket
from tests.e2e import bodies
from tests.e2e.gateway import SECRET, free_port, write_policy
from tests.e2e.machine import Envoy, Load, Sidecar, closing, document, serve, until
from tests.e2e.upstream import Reply, Request, Upstream, answering
from tests.stores.redis import rig
from tests.volume import Volume

STORE = 'drain: 10s\nnotice: 1s\nstore: {kind: redis, url: "file:redis"}'
LEFT = 2
"""Requests that tenant slow may make in ten minutes."""


class Replica:
    """A sidecar whose policy and secrets stand on a volume, as Kubernetes mounts it."""

    def __init__(self, folder: Path, redis: str) -> None:
        folder.mkdir()
        made = write_policy(folder, f"127.0.0.1:{free_port()}", lambda text: text)
        self.text = made.read_text().replace("drain: 10s", STORE)
        self.redis = redis
        self.volume = Volume(folder / "conf", self._files())
        self.sidecar = Sidecar(self.volume.folder / "policy.yaml")
        config = load(self.sidecar.policy)
        self.listen, self.health = parse_socket(config.listen), config.health

    def swap(self, text: str = "", redis: str = "") -> None:
        self.text, self.redis = text or self.text, redis or self.redis
        self.volume.swap(self._files())

    def put_in_force(self, text: str) -> None:
        before = self.sidecar.told("reloaded")
        self.swap(text)
        until(lambda: self.sidecar.told("reloaded") > before)

    def listens(self) -> bool:
        """Whether it takes new streams."""
        assert isinstance(self.listen, Socket)
        with socket() as asked:
            return not asked.connect_ex((self.listen.host, self.listen.port))

    def _files(self) -> dict[str, str]:
        return {"policy.yaml": self.text, "hmac": SECRET.decode(), "redis": self.redis}


class Replicas:
    def __init__(self, folder: Path, upstream: Upstream, redis: rig.Server) -> None:
        self.redis = redis
        self.each = [Replica(folder / name, self.url("first")) for name in ("one", "two")]
        found = document(
            upstream.port,
            *(each.listen for each in self.each),
            checked=[each.health for each in self.each],
        )
        self.envoy = Envoy(folder, found)

    def url(self, password: str) -> str:
        return f"redis://extproc:{password}@127.0.0.1:{self.redis.port}"

    def healthy(self) -> int:
        return sum(self.envoy.stats("^cluster.extproc.membership_healthy$").values())

    def load(self) -> Load:
        return Load(self.envoy.url, bodies.INFER, bodies.infer_request(), bodies.headers())

    def restart(self, replica: Replica, load: Load) -> None:
        replica.sidecar.send(signal.SIGTERM)
        assert replica.sidecar.ended() == 0
        load.go_on()
        serve(replica.sidecar)
        until(lambda: self.healthy() == 2)


@pytest.fixture(scope="module")
def running(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with rig.servers() as (redis,):
        with redis.client() as client:
            client.execute_command("ACL SETUSER extproc on >first ~* +@all")
        made = Replicas(tmp_path_factory.mktemp("r"), scripted, redis)
        with closing(*(each.sidecar for each in made.each), made.envoy):
            serve(*(each.sidecar for each in made.each), made.envoy)
            yield made


@pytest.fixture
def replicas(running: Replicas) -> Iterator[Replicas]:
    until(lambda: running.healthy() == 2)
    yield running
    assert running.envoy.fail_open_events() == 0


def limited(replicas: Replicas, times: int) -> Counter[int]:
    with httpx.Client(base_url=replicas.envoy.url, headers=bodies.headers("slow")) as client:
        asked = (client.post(bodies.INFER, content=bodies.infer_request()) for _ in range(times))
        return Counter(answer.status_code for answer in asked)


def test_no_request_fails_while_both_are_restarted_for_another_password_of_redis(
    replicas: Replicas, upstream: Upstream
) -> None:
    """Redis knows both passwords meanwhile; what has been counted is not forgotten."""
    upstream.script = answering(bodies.infer_answer())
    assert limited(replicas, LEFT) == {200: LEFT}
    with replicas.redis.client() as client, replicas.load() as load_:
        client.execute_command("ACL SETUSER extproc >second")
        for each in replicas.each:
            each.swap(redis=replicas.url("second"))
            replicas.restart(each, load_)
        client.execute_command("ACL SETUSER extproc <first")
        load_.go_on()
        client.execute_command("CLIENT KILL TYPE normal SKIPME yes")
    assert load_.statuses() == {200}
    assert not load_.leaked()
    seen = Counter[int]()

    def connected() -> bool:
        found = limited(replicas, 4)
        seen.update(found)
        return found == {429: 4}

    until(connected)
    assert 200 not in seen


def test_a_stream_ends_where_it_began_while_its_sidecar_goes(
    replicas: Replicas, upstream: Upstream
) -> None:
    """Whichever has it: both go, one after the other, while it lasts."""
    go_on = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: " + bodies.chat_chunk("first") + b"\n\n")
        await go_on.wait()
        await reply.chunk(b"data: " + bodies.chat_chunk("last") + b"\n\ndata: [DONE]\n\n")
        await reply.end()

    upstream.script = script
    asked = bodies.chat_request(stream=True)
    one, other = (each.sidecar for each in replicas.each)
    with (
        httpx.Client(base_url=replicas.envoy.url, timeout=30) as client,
        client.stream("POST", bodies.CHAT, content=asked, headers=bodies.headers()) as first,
        httpx.Client(base_url=replicas.envoy.url, timeout=30) as another,
        another.stream("POST", bodies.CHAT, content=asked, headers=bodies.headers()) as second,
    ):
        lines = [each.iter_lines() for each in (first, second)]
        assert all("first" in next(each) for each in lines)
        one.send(signal.SIGTERM)
        until(lambda: replicas.healthy() == 1)
        other.send(signal.SIGTERM)
        # Their notice is over, that is; the streams are all that either waits for.
        until(lambda: not any(each.listens() for each in replicas.each))
        upstream.release(go_on)
        rest = ["\n".join(each) for each in lines]
    assert [each.ended() for each in (one, other)] == [0, 0]
    serve(one, other)
    assert all("last" in each and each.strip().endswith("data: [DONE]") for each in rest)
    assert not any("private thoughts" in each for each in rest)


def test_another_policy_on_one_replica_after_the_other_lets_nothing_through(
    replicas: Replicas, upstream: Upstream
) -> None:
    """A request that one of them let in by another policy than the other has is refused."""
    upstream.script = answering(bodies.infer_answer())
    with replicas.load() as load_:
        for each in replicas.each:
            each.put_in_force(each.text.replace("digits: 2", "digits: 1"))
            load_.go_on()
        begun = len(load_.answers)
        load_.go_on()
    assert load_.statuses() <= {200, 503}
    assert not load_.leaked()
    assert {status for status, _ in load_.answers[begun + 4 :]} == {200}
    assert b"0.6," in load_.answers[-1][1]
