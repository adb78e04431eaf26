"""The process: how it starts, what keeps it from starting, and how it ends.

Either a real ``extproc serve``, or the same as a task of the test's own loop.
"""

import asyncio
import gc
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from extproc.auditor.keys import new_pair
from extproc.auditor.verifying import verify
from extproc.config import compile_table, load
from extproc.errors import ConfigError
from extproc.events import RequestBody, RequestHeaders, ResponseBody
from extproc.server import app
from extproc.server.health import SERVICES
from extproc.server.protobuf import Handover
from tests.issuer import EC, Issuer, jwks
from tests.playbook import ANSWER, ASK, headers
from tests.server.wire import Envoy, Stream
from tests.stores.redis import rig

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING

POLICY = """\
version: 1
listen: "{listen}"
health: "127.0.0.1:{health}"
{admin}
drain: {drain}
store: {store}
keys: {{hmac: "file:hmac"}}
{more}
routes:
  - {{path: /v1/chat/completions, dialect: openai_chat}}
fidelities:
  standard: {{text: pass, usage: pass}}
policies:
  partner: {{models: ["*"], fidelity: standard}}
tenants:
  acme: {{policy: partner, principals: ["key:{key}"]}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again until it holds; fails after twenty seconds."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - a process has no events
            await asyncio.sleep(0.01)


class Folder:
    """A policy file, and the addresses it names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = path / "s"
        self.listen = f"unix://{self.socket}"
        self.host, self.drain, self.more = "127.0.0.1", "60s", ""
        self.store = "{kind: memory}"
        self.health, self.admin = free_port(), free_port()
        (path / "hmac").write_bytes(b"k" * 32)

    def policy(self) -> Path:
        file = self.path / "policy.yaml"
        admin = f'admin: "{self.host}:{self.admin}"' if self.host else ""
        named = {"listen": self.listen, "health": self.health, "admin": admin, "drain": self.drain}
        file.write_text(POLICY.format(key="a" * 64, more=self.more, store=self.store, **named))
        return file

    async def status(self, service: str = "") -> Any:
        """What the health port says; None where it does not answer."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.health}") as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                HealthCheckRequest.SerializeToString,
                HealthCheckResponse.FromString,
            )
            try:
                return (await check(HealthCheckRequest(service=service), timeout=10)).status
            except grpc.aio.AioRpcError:
                return None

    def connects(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    async def drains(self) -> bool:
        return bool(await self.status() == NOT_SERVING)

    def get(self, path: str) -> int:
        return self.told(path)[0]

    def told(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(
            self.host.strip("[]") or "127.0.0.1", self.admin, timeout=10
        )
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    @asynccontextmanager
    async def envoy(self) -> AsyncIterator[Envoy]:
        address = self.listen.replace("unix://", "unix:")
        # A channel of its own: channels to one address share their connection otherwise.
        alone = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(address, options=alone) as channel:
            yield Envoy(channel)

    def stream(self, envoy: Envoy) -> Stream:
        version = compile_table(load(self.policy())).version
        return envoy.stream(Handover("e", version, "POST /v1/chat/completions", "acme", "key:a"))


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("x"))


def launched(folder: Folder) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "extproc", "serve", "--policy", str(folder.policy())]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, umask=0)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, list[dict[str, Any]]]:
    """Its exit code and its records."""
    out, err = process.communicate(timeout=30)
    assert out == b""
    return process.returncode, [orjson.loads(line) for line in err.splitlines()]


@asynccontextmanager
async def serving(folder: Folder) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A sidecar that is up; whatever it still does at the end of the block is cut off."""
    process = launched(folder)

    async def up() -> bool:
        return process.poll() is not None or await folder.status() == SERVING

    try:
        await until(up)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def serving_here(folder: Folder) -> AsyncIterator[asyncio.Task[None]]:
    """As above, as a task of this process, which starts in no time."""
    config = load(folder.policy())
    running = asyncio.create_task(app.serve(config, compile_table(config)))

    async def up() -> bool:
        return running.done() or await folder.status() == SERVING

    await until(up)
    assert not running.done(), running.exception()
    yield running
    if not running.done():
        os.kill(os.getpid(), signal.SIGTERM)
    await running


async def begun(stream: Stream) -> None:
    """Half of an exchange: the request has gone on."""
    await stream.send(RequestHeaders(end=False), RequestBody(ASK, end=True))
    assert (await stream.receive()).HasField("request_headers")


async def finished(stream: Stream) -> grpc.StatusCode:
    """The other half."""
    await stream.send(headers(), ResponseBody(ANSWER, end=True))
    answer = await stream.receive()
    assert answer.response_headers.response.body_mutation.body == ANSWER
    return await stream.end()


async def test_it_serves_until_it_is_told_to_end(folder: Folder) -> None:
    async with serving(folder) as process:
        for service in SERVICES:
            assert await folder.status(service) == SERVING
        assert stat.S_IMODE(folder.socket.lstat().st_mode) == 0o660
        assert [folder.get(path) for path in ("/livez", "/readyz", "/metrics")] == [200] * 3
        async with folder.envoy() as envoy:
            stream = folder.stream(envoy)
            await begun(stream)
            assert await finished(stream) is grpc.StatusCode.OK
        process.send_signal(signal.SIGTERM)
        code, records = ended(process)
    assert code == 0
    assert [record["message"] for record in records] == [
        "serving",
        "exchange",
        "draining",
        "stopped",
    ]
    assert records[0]["listen"] == folder.listen


async def test_it_listens_on_a_port_too(folder: Folder) -> None:
    folder.listen = f"127.0.0.1:{free_port()}"
    async with serving_here(folder), folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        assert await finished(stream) is grpc.StatusCode.OK


async def test_it_says_in_its_log_that_its_store_has_gone(
    folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    with rig.servers() as (server,):
        (folder.path / "url").write_text(server.url)
        folder.store = '{kind: redis, url: "file:url"}'
        said = ""

        async def told() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return '"message":"store away"' in said

        async with serving_here(folder):
            server.kill()
            await until(told)


async def test_it_needs_no_admin_port(folder: Folder) -> None:
    folder.host = ""
    async with serving_here(folder):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(folder.get, "/readyz")


async def test_its_admin_port_may_be_of_either_family(folder: Folder) -> None:
    folder.host = "[::1]"
    async with serving_here(folder):
        assert await asyncio.to_thread(folder.get, "/readyz") == 200


async def test_it_takes_over_a_stale_socket(folder: Folder) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(folder.socket))
    async with serving_here(folder), folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        assert await finished(stream) is grpc.StatusCode.OK


TOKENS = """\
credentials:
  keys: {kind: api_key}
  tokens: {kind: jwt, issuer: i, audience: a, jwks: "URL/jwks", algorithms: [ES256]}
"""


async def test_an_issuer_that_is_down_keeps_nobody_from_starting_and_is_told(
    folder: Folder,
) -> None:
    with Issuer(status=503) as issuer:
        folder.more = TOKENS.replace("URL", issuer.url)
        async with serving_here(folder):
            status, ready = await asyncio.to_thread(folder.told, "/readyz")
            assert (status, ready.splitlines()[0]) == (200, "ready")
            assert ready.splitlines()[2:] == ["credential tokens: no keys: status 503"]


async def test_it_is_not_ready_before_it_has_asked_for_keys(folder: Folder) -> None:
    with Issuer(keys=jwks(EC)) as issuer:
        issuer.slow.clear()
        folder.more = TOKENS.replace("URL", issuer.url)
        config = load(folder.policy())
        running = asyncio.create_task(app.serve(config, compile_table(config)))
        async with asyncio.timeout(20):
            while issuer.waiting == 0:  # noqa: ASYNC110 - a server in a thread has no events
                await asyncio.sleep(0)
        assert await asyncio.to_thread(folder.get, "/readyz") == 503
        issuer.slow.set()

        async def ready() -> bool:
            status, told = await asyncio.to_thread(folder.told, "/readyz")
            return status == 200 and "credential" not in told

        await until(ready)
        os.kill(os.getpid(), signal.SIGTERM)
        await running


async def test_a_hangup_has_it_load_its_files_anew(folder: Folder) -> None:
    """And what changed is served by, and drained by, from then on."""
    async with serving(folder) as process:
        before = orjson.loads(folder.told("/config")[1])
        folder.drain = "7s"
        folder.policy()
        process.send_signal(signal.SIGHUP)

        async def reloaded() -> bool:
            after = orjson.loads(folder.told("/config")[1])
            return bool(after["config"] != before["config"])

        await until(reloaded)
        assert await folder.status() == SERVING
        process.send_signal(signal.SIGTERM)
        code, records = ended(process)
    assert code == 0
    told = {record["message"]: record for record in records}
    assert told["reloaded"]["before"] == told["serving"]["config"] == before["config"]
    assert told["draining"]["seconds"] == 7


# What keeps it from starting.


def test_it_leaves_a_file_alone_that_is_no_socket(folder: Folder) -> None:
    folder.socket.write_text("precious")
    process = launched(folder)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (4, b"")
    message = "exists and is not a socket; remove it or choose another"
    assert err.decode() == f"listen: {folder.socket} {message}\n"
    assert folder.socket.read_text() == "precious"


def refused(folder: Folder) -> str:
    """Why it does not start; the command prints just that."""
    config = load(folder.policy())
    with pytest.raises(ConfigError) as error:
        app.run(config, compile_table(config))
    return str(error.value)


def test_it_leaves_a_socket_alone_that_is_in_use(folder: Folder) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(folder.socket))
        other.listen()
        assert f"another process listens on {folder.socket}" in refused(folder)
    assert folder.socket.exists()


def test_it_leaves_a_control_socket_alone_that_is_in_use(folder: Folder) -> None:
    path = folder.path / "c"
    folder.more = f"control: unix://{path}"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert f"control: another process listens on {path}" in refused(folder)
    assert path.exists()


def test_it_names_a_folder_that_is_missing(folder: Folder) -> None:
    folder.listen = f"unix://{folder.path}/gone/s"
    assert f"the folder {folder.path}/gone does not exist" in refused(folder)


@pytest.mark.parametrize("which", ["health", "admin", "listen"])
def test_it_names_a_port_that_is_in_use(folder: Folder, which: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        setattr(folder, which, f"127.0.0.1:{port}" if which == "listen" else port)
        said = refused(folder)
    assert said == (
        f"{which}: cannot listen on 127.0.0.1:{port} (Address already in use); "
        "stop what listens there, or write another"
    )


def test_it_names_an_audit_log_that_cannot_be_written(folder: Folder) -> None:
    (folder.path / "audit.pem").write_bytes(new_pair()[0])
    folder.more = 'audit: {path: gone/audit.jsonl, key: "file:audit.pem"}\n'
    process = launched(folder)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 4
    assert err.decode().startswith(f"audit.path: {folder.path}/gone/audit.jsonl cannot be written")
    assert err.count(b"\n") == 1


async def test_it_keeps_an_audit_log_and_closes_it(folder: Folder) -> None:
    (folder.path / "audit.pem").write_bytes(new_pair()[0])
    folder.more = 'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
    async with serving(folder) as process, folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        assert await finished(stream) is grpc.StatusCode.OK
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    report = verify([folder.path / "audit.jsonl"], [folder.path / "audit.pem"], None, live=False)
    assert report.whole
    assert (report.records, report.policies) == (1, 1)


async def test_garbage_is_collected_from_when_it_serves(folder: Folder) -> None:
    gc.disable()  # as `extproc serve` does, to load faster
    try:
        async with serving_here(folder) as running:
            assert gc.isenabled()
            assert gc.get_freeze_count() > 0
            os.kill(os.getpid(), signal.SIGTERM)
            await running
    finally:
        gc.enable()
        gc.unfreeze()


# The drain.


async def test_what_runs_is_finished_and_nothing_new_is_taken(folder: Folder) -> None:
    async with serving(folder) as process, folder.envoy() as envoy, folder.envoy() as another:
        running = folder.stream(envoy)
        await begun(running)
        await begun(known := folder.stream(another))
        process.send_signal(signal.SIGTERM)
        await until(folder.drains)
        assert (folder.get("/livez"), folder.get("/readyz")) == (200, 503)

        async def refuses() -> bool:
            async with folder.envoy() as late:
                try:
                    await begun(folder.stream(late))
                except grpc.aio.AioRpcError as error:
                    return error.code() is grpc.StatusCode.UNAVAILABLE
                return False

        await until(refuses)
        assert process.poll() is None
        assert await finished(running) is grpc.StatusCode.OK
        assert await finished(known) is grpc.StatusCode.OK
        code, records = ended(process)
    assert code == 0
    outcomes = [record["outcome"] for record in records if record["message"] == "exchange"]
    assert outcomes.count("served") == 2
    assert records[-1]["message"] == "stopped"


async def test_new_streams_are_taken_until_its_notice_is_over(folder: Folder) -> None:
    """So long an Envoy that asks for its health has to turn to another sidecar."""
    folder.more += "notice: 60s\n"
    async with serving(folder) as process, folder.envoy() as envoy:
        process.send_signal(signal.SIGTERM)
        await until(folder.drains)
        assert (folder.get("/livez"), folder.get("/readyz")) == (200, 503)
        await begun(stream := folder.stream(envoy))
        process.send_signal(signal.SIGTERM)

        async def refuses() -> bool:
            return not await asyncio.to_thread(folder.connects)

        await until(refuses)
        assert await finished(stream) is grpc.StatusCode.OK
        code, _ = ended(process)
    assert code == 0


async def test_a_second_signal_cuts_off_what_runs(
    folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving_here(folder) as running, folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(folder.drains)
        assert not running.done()
        os.kill(os.getpid(), signal.SIGINT)
        assert await stream.status() is grpc.StatusCode.UNAVAILABLE
        await running
    # Envoy's side is in this process here, whose gRPC says on the same line what becomes of it.
    lines = capfd.readouterr().err.splitlines()
    records = [orjson.loads(line) for line in lines if line.startswith("{")]
    told = [(record["message"], record.get("outcome")) for record in records]
    assert told == [
        ("serving", None),
        ("draining", None),
        ("exchange", "unfinished"),
        ("stopped", None),
    ]


async def test_what_runs_longer_than_the_drain_is_cut_off(folder: Folder) -> None:
    folder.drain = "100ms"
    async with serving_here(folder) as running, folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await stream.status() is grpc.StatusCode.UNAVAILABLE
        await running


async def test_a_sidecar_that_is_killed_ends_no_stream_cleanly(folder: Folder) -> None:
    async with serving(folder) as process, folder.envoy() as envoy:
        stream = folder.stream(envoy)
        await begun(stream)
        process.kill()
        assert await stream.status() is grpc.StatusCode.UNAVAILABLE
