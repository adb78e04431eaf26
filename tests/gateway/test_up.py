import asyncio
import os
import pty
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from extproc.config import load
from extproc.envoyconf.settings import Socket, Tls, parse_address
from extproc.errors import ConfigError
from extproc.gateway.starter import write_starter
from extproc.gateway.up import DIED, Up, up
from tests.e2e.authority import Authority
from tests.e2e.upstream import Reply, Request, Upstream
from tests.gateway.rig import DEADLINE, LOCAL, Children, ask, gone, standin, until

NOWHERE = "http://127.0.0.1:9"


@dataclass
class Console:
    """What was said, and how to find things in it."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def find(self, pattern: str) -> str | None:
        found = (re.search(pattern, line) for line in self.lines)
        return next((match[1] for match in found if match), None)

    async def until(self, pattern: str) -> str:
        """Wait until that is said."""
        await until(lambda: self.find(pattern) is not None)
        return self.find(pattern) or ""

    @property
    def address(self) -> Socket:
        told = self.find(r"^serving on https?://([\d.:]+),")
        assert told is not None
        host, _, port = told.partition(":")
        return Socket(host, int(port))


def _standin(policy: Path) -> tuple[str, ...]:
    return standin(parse_address(load(policy).listen))


@asynccontextmanager
async def started(asked: Up, console: Console) -> AsyncIterator["asyncio.Task[int]"]:
    """``up``, once it serves; the test ends it."""
    task = asyncio.create_task(up(asked))
    try:
        await until(lambda: task.done() or console.find(r"^(serving)") is not None)
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.e2e
async def test_the_command_it_prints_works_and_a_signal_ends_everything() -> None:
    async def answer(request: Request, reply: Reply) -> None:
        if request.path == "/v1/models":
            await reply.document(b'{"data":[{"id":"tiny"}]}')
        else:
            await reply.document(COMPLETION)

    console, children = Console(), Children()
    with Upstream() as upstream:
        upstream.script = answer
        asked = Up(f"http://127.0.0.1:{upstream.port}", listen=LOCAL, say=console)
        async with started(asked, console) as task:
            told = console.find(r"^try: (curl .*)$")
            assert told is not None
            answered = await curl(console.address, told)
            denied = await ask(console.address, "POST /v1/embeddings HTTP/1.1\nhost: a")
            policy = console.find(r"^policy: (\S+)")
            pids = children.pids()

            os.kill(os.getpid(), signal.SIGINT)
            assert await asyncio.wait_for(task, DEADLINE) == 0

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert b'"content":"Hi"' in answered
    assert b"unknown-to-us" not in answered
    assert denied.startswith(b"HTTP/1.1 401 ")
    assert set(pids) == {"envoy", "sidecar"}
    assert all(gone(pid) for pid in pids.values())
    assert policy is not None
    assert not Path(policy).parent.exists()
    assert console.lines[-1] == "stopped"
    assert not any(line.startswith("warning") for line in console.lines)


COMPLETION = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"tiny","unknown-to-us":1,'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}]}'
)


async def curl(address: Socket, command: str) -> bytes:
    """Do what the printed command does."""
    words = shlex.split(command)
    assert words[:2] == ["curl", f"http://{address}/v1/chat/completions"]
    headers = [word for flag, word in pairwise(words) if flag == "-H"]
    body = words[words.index("-d") + 1].encode()
    lines = [f"POST /v1/chat/completions HTTP/1.1\nhost: {address}", *headers]
    return await ask(address, "\n".join([*lines, f"content-length: {len(body)}"]), body)


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["envoy", "sidecar"])
async def test_the_death_of_one_is_told_and_ends_the_other(name: str) -> None:
    console, children = Console(), Children()
    asked = Up(NOWHERE, listen=LOCAL, say=console, command=_standin)
    async with started(asked, console) as task:
        pids = children.pids()
        os.kill(pids[name], signal.SIGKILL)

        assert await asyncio.wait_for(task, DEADLINE) == DIED

    assert console.lines[-1].startswith(f"{name} was killed by signal 9; it said last:")
    assert all(gone(pid) for pid in pids.values())


@pytest.mark.e2e
async def test_a_hangup_reaches_the_sidecar_and_ends_nothing() -> None:
    console = Console()
    async with started(Up(NOWHERE, listen=LOCAL, say=console), console) as task:
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: console.find(r'("message":"unchanged")') is not None)
        assert not task.done()


@pytest.mark.e2e
async def test_a_hangup_while_it_starts_ends_nothing() -> None:
    """The terminal may go at any time, and who is ended by it leaves nobody to end the children."""
    console, children = Console(), Children()
    task = asyncio.create_task(up(Up(NOWHERE, listen=LOCAL, say=console)))
    await until(lambda: bool(children.pids()))
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: console.find(r"^(serving)") is not None)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(task, DEADLINE) == 0


@pytest.mark.e2e
def test_the_end_of_its_terminal_ends_it() -> None:
    """The kernel then sends SIGHUP too, and nobody hears its last word."""
    pid, terminal = pty.fork()
    if not pid:
        command = (sys.executable, "-m", "extproc", "up", "--upstream", NOWHERE)
        os.execv(sys.executable, (*command, "--listen", "127.0.0.1:0"))
    said = b""
    while b"serving on" not in said:
        said += os.read(terminal, 4096)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    assert len(children) == 2
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert all(gone(int(child)) for child in children)


@pytest.mark.e2e
async def test_a_policy_of_ones_own_is_used_and_its_keys_are_not_known(tmp_path: Path) -> None:
    starter = write_starter(tmp_path)
    console = Console()
    asked = Up(NOWHERE, policy=starter.policy, listen=LOCAL, say=console)
    async with started(asked, console):
        denied = await ask(console.address, "GET /health HTTP/1.1\nhost: a")
        failed = await ask(
            console.address, f"GET /health HTTP/1.1\nhost: a\nx-api-key: {starter.key}"
        )

    assert denied.startswith(b"HTTP/1.1 401 ")
    assert failed.startswith(b"HTTP/1.1 503 ")
    assert console.find(r"^(key|try):") is None
    assert (
        console.find(r"^warning: (nothing answers at \S+) yet") == f"nothing answers at {NOWHERE}"
    )
    assert starter.policy.exists()


@pytest.mark.e2e
async def test_clients_connect_over_tls_each_with_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    server, client = authority.issue("server", "127.0.0.1"), authority.issue("client")
    tls = Tls(*server.files, client_ca=str(authority.own.certificate))
    console = Console()
    async with started(Up(NOWHERE, listen=LOCAL, tls=tls, say=console), console):
        context = ssl.create_default_context(cafile=str(authority.own.certificate))
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            async with httpx.AsyncClient(verify=context) as nobody:
                await nobody.get(f"https://{console.address}/")
        context.load_cert_chain(*client.files)
        async with httpx.AsyncClient(verify=context) as known:
            answer = await known.get(f"https://{console.address}/")
            assert answer.status_code == 401
    assert console.find(r"^try: (curl https://)") is not None


async def test_a_certificate_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    tls = Tls(str(tmp_path / "missing.pem"), str(tmp_path / "missing.key"))
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be read; name a file in PEM"):
        await up(Up(NOWHERE, listen=LOCAL, tls=tls, say=Console()))


async def test_a_policy_that_knows_certificates_needs_clients_that_show_them(
    tmp_path: Path,
) -> None:
    starter = write_starter(tmp_path)
    text = starter.policy.read_text()
    known = "credentials: {keys: {kind: api_key}, mesh: {kind: mtls}}\n"
    starter.policy.write_text(known + text)
    with pytest.raises(ConfigError, match=r"no client could show its certificate; give --client"):
        await up(Up(NOWHERE, policy=starter.policy, listen=LOCAL, say=Console()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_while_it_starts(number: signal.Signals) -> None:
    console, children = Console(), Children()
    asked = Up(NOWHERE, listen=LOCAL, say=console, command=_standin)
    task = asyncio.create_task(up(asked))
    await until(lambda: bool(children.pids()))

    os.kill(os.getpid(), number)

    assert await asyncio.wait_for(task, DEADLINE) == 0
    assert children.pids() == {}


async def test_a_sidecar_that_cannot_serve_is_told() -> None:
    console = Console()
    asked = Up(NOWHERE, listen=LOCAL, say=console, command=lambda policy: ("/bin/false",))

    assert await asyncio.wait_for(up(asked), DEADLINE) == DIED
    assert console.lines[-1].startswith("sidecar ended with code 1")


@pytest.mark.parametrize("upstream", ["127.0.0.1:8000", "http://host/v1"])
async def test_what_is_no_upstream_is_one_sentence(upstream: str) -> None:
    with pytest.raises(ConfigError, match=f"upstream '{upstream}'"):
        await up(Up(upstream, listen=LOCAL, say=Console()))


async def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Socket(*taken.getsockname())

        with pytest.raises(ConfigError, match=f"listen: cannot use {address}: Address already"):
            await up(Up(NOWHERE, listen=address, say=Console()))


async def test_a_policy_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml"):
        await up(Up(NOWHERE, policy=tmp_path / "missing.yaml", listen=LOCAL, say=Console()))


async def test_the_base_file_binds_what_is_run(tmp_path: Path) -> None:
    starter, base = write_starter(tmp_path), tmp_path / "base.yaml"
    base.write_text("version: 1\noverrides: {drain: 1}\n")
    asked = Up(NOWHERE, policy=starter.policy, listen=LOCAL, say=Console(), base=base)
    with pytest.raises(ConfigError, match=r"base\.yaml:2: overrides\.drain"):
        await up(asked)

    base.write_text("version: 1\noverrides: {drain: 1s}\n")
    seen = tmp_path / "seen"
    shown = ("/bin/sh", "-c", f'echo "$@" > {seen}; exit 1', "sidecar")
    asked = Up(NOWHERE, starter.policy, LOCAL, base, None, Console(), lambda policy: shown)
    assert await asyncio.wait_for(up(asked), DEADLINE) == DIED
    assert seen.read_text() == f"--base {base}\n"


def test_a_process_that_another_test_started_is_not_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        children = Children()
        assert children.pids() == {}
        command = [sys.executable, "-c", "input()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as own:
            assert children.pids() == {"sidecar": own.pid}
            own.communicate(b"\n")
        other.communicate(b"\n")
