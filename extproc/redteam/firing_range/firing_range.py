"""The victims, and a gateway in front of them for each policy file."""

import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from extproc.redteam.firing_range.issue import Issued, Party, issue
from extproc.redteam.firing_range.process import process

SHIPPED = Path(__file__).with_name("policies.yaml")
"""The policy file of the shipped policies."""
_REMEMBERED = 20_000
"""Texts: every policy and seed asks about the same ones, of which each takes ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: where, and whose keys it takes."""

    url: str
    keys: Mapping[str, Sequence[str]]


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
async def gateway(
    policy: Path, upstream: str, seed: int, parties: Sequence[Party]
) -> AsyncIterator[Gateway]:
    """Envoy and the sidecar in front of ``upstream``, for the length of the block.

    Raise ValueError where the policy file cannot be used, ProcessDied where it does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="extproc-redteam-") as directory:
        health = f"127.0.0.1:{free_port()}"
        issued: Issued = issue(policy, Path(directory), seed, parties, health)
        address = f"127.0.0.1:{free_port()}"
        command = (
            *(sys.executable, "-m", "extproc", "up", "--upstream", upstream),
            *("--policy", str(issued.policy), "--listen", address),
        )
        named = f"the gateway of {policy}"
        async with process(named, command, lambda line: line.startswith("serving on ")):
            yield Gateway(f"http://{address}", issued.keys)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
        return port
