"""The demo's policy, with fresh keys, in a directory that is nobody else's.

Rule: the keys are kept nowhere but in this process; the policy holds their keyed hashes.
"""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from extproc.config import new_key
from extproc.credentials import api_key
from extproc.envoyconf.settings import Pipe

TIERS: Final = ("full", "standard", "coarse")
"""Best first."""
TENANTS: Final[Mapping[str, str]] = {
    "gold": "full",
    "silver": "standard",
    "bronze": "coarse",
    "trial": "coarse, 5 requests a minute",
    "private": "of votes one class, 21 answers in all",
}
"""The tenants of policy.yaml, each with what it gets."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A policy that was filled in."""

    policy: Path
    listen: Pipe
    """Where the sidecar is asked."""
    keys: Mapping[str, str]
    """API key by tenant."""

    def key_of(self, tier: str) -> str:
        """The key of the tenant that is served at this tier and has no limit."""
        return next(self.keys[tenant] for tenant, gets in TENANTS.items() if gets == tier)


def template() -> str:
    """The policy as it is shipped."""
    return files("extproc.demo").joinpath("policy.yaml").read_text(encoding="utf-8")


def issue(directory: Path, text: str) -> Issued:
    """Write the policy and its secret, both 0600, into a directory of this user alone."""
    secret = secrets.token_hex(32)
    keys = {tenant: new_key() for tenant in TENANTS}
    listen = Pipe(str(directory / "extproc.sock"))
    filled = Template(text).substitute(
        LISTEN=json.dumps(str(listen)),
        HEALTH=f"127.0.0.1:{free_port()}",
        **{tenant.upper(): _principal(key, secret) for tenant, key in keys.items()},
    )
    _write(directory / "hmac", secret)
    _write(directory / "policy.yaml", filled)
    return Issued(directory / "policy.yaml", listen, keys)


def _principal(key: str, secret: str) -> str:
    principal = api_key.principal({"x-api-key": key}, secret.encode())
    assert principal is not None
    return principal


def _write(path: Path, text: str) -> None:
    """A new file, 0600 from its first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def free_port() -> int:
    """A port that nobody has now; the sidecar says so if somebody takes it meanwhile."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
        return port
