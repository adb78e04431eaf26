"""The victims, and a gateway in front of them for each policy file."""

import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from extproc.redteam.firing_range.command import command
from extproc.redteam.firing_range.issue import (
    CALIBRATION,
    LOG,
    LOG_KEY,
    VAULT,
    VAULT_KEY,
    Issued,
    Party,
    issue,
)
from extproc.redteam.firing_range.process import process

SHIPPED = Path(__file__).with_name("policies.yaml")
"""The policy file of the shipped policies."""
SHARED = Path(__file__).with_name("shared.yaml")
"""That of a policy whose replicas count together."""
WATCHED = Path(__file__).with_name("watched.yaml")
"""That of policies with detection."""
PRIVATE = Path(__file__).with_name("private.yaml")
"""That of a policy that answers votes privately."""
MARKED = Path(__file__).with_name("marked.yaml")
"""That of a policy that marks, and keeps what it marked."""
_REMEMBERED = 20_000
"""Texts: every policy and seed asks about the same ones, of which each takes ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: where, and whose keys it takes."""

    urls: tuple[str, ...]
    """Of its replicas."""
    keys: Mapping[str, Sequence[str]]
    folders: tuple[Path, ...] = ()
    """Of its replicas, where these have a vault: each with its policy file and all that it keeps,
    as `issue` names it."""

    @property
    def url(self) -> str:
        return self.urls[0]


@asynccontextmanager
async def model_server(models: Sequence[str] = ()) -> AsyncIterator[str]:
    """The demo's model server, unprotected, for the length of the block; gives its URL."""
    port = free_port()
    named = ("--models", ",".join(models)) if models else ()
    options = ("--port", str(port), "--remember", str(_REMEMBERED), *named)
    command = (sys.executable, "-m", "extproc.demo.server", *options)
    async with process("the model server", command, lambda line: line.startswith("ready: ")):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def gateway(  # noqa: PLR0913 - where it stands, and what it counts and detects by
    policy: Path,
    upstream: str,
    seed: int,
    parties: Sequence[Party],
    *,
    replicas: int = 1,
    redis: str = "",
    calibration: bytes = b"",
) -> AsyncIterator[Gateway]:
    """Envoy and the sidecar in front of ``upstream``, for the length of the block.

    Replicas count together in the Redis at the URL ``redis``; where it is empty, each by itself in
    its memory.  ``calibration`` is as `calibrated` makes it of this file and seed, where it
    detects.  Raise ValueError where the policy file cannot be used, ProcessDied where it does not
    come up.
    """
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="extproc-redteam-")))
        urls: list[str] = []
        folders: list[Path] = []
        keys: Mapping[str, Sequence[str]] = {}
        for at in range(replicas):
            own = directory / str(at)
            own.mkdir()
            health = f"127.0.0.1:{free_port()}"
            issued = issue(policy, own, seed, parties, health, redis=redis)
            if calibration:
                (own / CALIBRATION).write_bytes(calibration)
            await _make_keys(issued)
            if VAULT in issued.kept:
                folders.append(own)
            up = _up(f"the gateway of {policy}", issued.policy, upstream)
            urls.append(await stack.enter_async_context(up))
            keys = issued.keys
        yield Gateway(tuple(urls), keys, tuple(folders))


async def _make_keys(issued: Issued) -> None:
    directory = issued.policy.parent
    if LOG in issued.kept:
        await command("audit", "key", str(directory / LOG_KEY))
    if VAULT in issued.kept:
        await command("keys", "vault", str(directory / VAULT_KEY))


@asynccontextmanager
async def _up(name: str, policy: Path, upstream: str) -> AsyncIterator[str]:
    address = f"127.0.0.1:{free_port()}"
    command = (
        *(sys.executable, "-m", "extproc", "up", "--upstream", upstream),
        *("--policy", str(policy), "--listen", address),
    )
    async with process(name, command, lambda line: line.startswith("serving on ")):
        yield f"http://{address}"


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
        return port
