"""``extproc up``: Envoy and the sidecar in front of a model server, until Ctrl-C.

Exit codes: 0 after SIGINT or SIGTERM; 3 when one of the two died, which ends the other.
"""

import asyncio
import json
import os
import shlex
import signal
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Final

from extproc.config import Config, load
from extproc.envoyconf.settings import (
    TRUSTED_CA,
    Gateway,
    Socket,
    Tls,
    parse_address,
    parse_upstream,
)
from extproc.errors import ConfigError
from extproc.gateway import probe
from extproc.gateway.beside import (
    PROMETHEUS,
    REDIS,
    URL,
    check_beside,
    start_prometheus,
    start_redis,
)
from extproc.gateway.process import Child, ChildDied, Log
from extproc.gateway.running import Running, Setup, running
from extproc.gateway.starter import Starter, write_starter

DIED: Final = 3
"""Exit code where a process died."""

LISTEN: Final = Socket("127.0.0.1", 8080)


def serve_command(policy: Path) -> tuple[str, ...]:
    """The sidecar, run by this same installation."""
    return (sys.executable, "-m", "extproc", "serve", "--policy", str(policy))


@dataclass(frozen=True, slots=True)
class Up:
    """What ``extproc up`` was asked for."""

    upstream: str
    """URL of the model server: ``http[s]://host[:port]``."""
    policy: Path | None = None
    """None makes one up, with a fresh key."""
    listen: Socket = LISTEN
    base: Path | None = None
    """What binds the policy file."""
    tls: Tls | None = None
    """How clients connect; None is in the clear."""
    say: Log = print
    """Gets every line: what to know, and the logs of both."""
    command: Callable[[Path], tuple[str, ...]] = serve_command
    """From a policy file to the sidecar's command."""
    beside: frozenset[str] = frozenset()
    """What else to run: ``redis``, ``prometheus``."""


async def up(asked: Up) -> int:
    """Run until a signal or a death; returns the exit code.

    Raise ConfigError, with one sentence, where something cannot be used.
    """
    stop, reload = asyncio.Event(), asyncio.Event()
    with _signals(stop, reload), tempfile.TemporaryDirectory(prefix="extproc-") as directory:
        serving = asyncio.create_task(_serve(asked, Path(directory), reload))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            serving.cancel()  # does nothing where it is done
            await asyncio.wait({serving})
    if serving.cancelled():
        with suppress(OSError):  # who reads it may be gone
            asked.say("stopped")
        return 0
    asked.say(str(serving.result()))
    return DIED


async def _serve(asked: Up, directory: Path, reload: asyncio.Event) -> ChildDied:
    """Run both; returns what died."""
    starter = write_starter(directory, asked.beside) if asked.policy is None else None
    policy = starter.policy if starter else asked.policy
    assert policy is not None
    config = load(policy, asked.base)
    check_beside(asked.beside, config)
    setup = _setup(asked, policy, config, directory)
    if not await probe.answers(setup.gateway.upstream.socket):
        asked.say(f"warning: nothing answers at {asked.upstream} yet; requests will get a 503")
    try:
        async with AsyncExitStack() as stack:
            others = []
            if REDIS in asked.beside:
                pipe, redis = await start_redis(directory, asked.say, stack)
                setup = replace(setup, environment={URL: str(pipe)})
                asked.say(f"redis: {pipe}")
                others.append(redis)
            run = await stack.enter_async_context(running(setup))
            for line in await _welcome(setup.gateway, run, starter):
                asked.say(line)
            if PROMETHEUS in asked.beside and config.admin is not None:
                pages, prometheus = await start_prometheus(
                    directory, config.admin, run.admin, asked.say, stack
                )
                asked.say(f"prometheus: http://{pages}")
                others.append(prometheus)
            async with _reloading(run.sidecar, reload):
                return await run.ended(*others)
    except ChildDied as died:
        return died


def _setup(asked: Up, policy: Path, config: Config, directory: Path) -> Setup:
    base, tls = asked.base, _found(asked.tls) if asked.tls is not None else None
    gateway = Gateway(
        upstream=parse_upstream(asked.upstream),
        sidecar=parse_address(config.listen),
        listen=asked.listen,
        tls=tls,
        peer_certificate=config.asks_for_certificates(shown=bool(tls and tls.client_ca)),
        admin=Socket("127.0.0.1", 0),
        trusted_ca=ssl.get_default_verify_paths().cafile or TRUSTED_CA,
    )
    bound = ("--base", str(base)) if base is not None else ()
    return Setup(gateway, (*asked.command(policy), *bound), directory, asked.say)


def _found(tls: Tls) -> Tls:
    """By their whole paths.  Raise ConfigError where one cannot be read."""
    paths = [str(Path(each).resolve()) if each else "" for each in astuple(tls)]
    for path in filter(None, paths):
        if not os.access(path, os.R_OK):
            raise ConfigError(f"{path} cannot be read; name a file in PEM that can")
    return Tls(*paths)


async def _welcome(gateway: Gateway, run: Running, starter: Starter | None) -> list[str]:
    """What to know, and a command that shows that it works."""
    url = f"{'https' if gateway.tls is not None else 'http'}://{run.address}"
    lines = [f"serving on {url}, in front of {gateway.upstream.socket}"]
    if starter is None:
        return lines
    model = await probe.first_model(gateway.upstream) or "MODEL"
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
    curl = [
        *("curl", f"{url}/v1/chat/completions"),
        *("-H", f"authorization: Bearer {starter.key}"),
        *("-H", "content-type: application/json", "-d", body),
    ]
    return [
        *lines,
        f"policy: {starter.policy} (gone when this ends)",
        f"key: {starter.key}",
        f"try: {shlex.join(curl)}",
    ]


@contextmanager
def _signals(stop: asyncio.Event, reload: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end it, SIGHUP has the sidecar load its files anew.

    A terminal that goes away sends SIGHUP too, at any time: then all ends, but where that was asked
    not to matter (nohup).
    """
    loop = asyncio.get_running_loop()
    on_terminal = _terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def hung_up() -> None:
        (stop if on_terminal and not _terminal() else reload).set()

    answers = {signal.SIGINT: stop.set, signal.SIGTERM: stop.set, signal.SIGHUP: hung_up}
    for number, answer in answers.items():
        loop.add_signal_handler(number, answer)
    try:
        yield
    finally:
        for number in answers:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _reloading(sidecar: Child, reload: asyncio.Event) -> AsyncIterator[None]:
    async def pass_on() -> None:
        while await reload.wait():
            reload.clear()
            sidecar.hang_up()

    passing = asyncio.create_task(pass_on())
    try:
        yield
    finally:
        passing.cancel()


def _terminal() -> bool:
    """Whether this process has one that it is controlled by (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
