"""Who asks, as an operator says it: a tenant is assumed, or a real credential is shown.

Rule: a secret is never an argument of a command, which every process of a machine may read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from extproc.cause import Cause
from extproc.config import Config
from extproc.config.credentials import strongest
from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.credentials import Proof, Prover
from extproc.errors import ConfigError
from extproc.events import CheckedRequest
from extproc.policy import PolicyTable


@dataclass(frozen=True, slots=True)
class Assumed:
    """A credential that proves a tenant whatever the request says."""

    headers: tuple[str, ...]
    proof: Proof | Cause

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        return self.proof


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever is assumed to ask."""

    tenant: str
    credentials: tuple[str, ...] = ()
    """Those it shows; all there are where none is named."""
    strength: int | None = None
    """Of what it shows; the most that each can prove where nothing is said."""


def nobody(table: PolicyTable) -> PolicyTable:
    """The table for which every request is a stranger's."""
    provers: dict[str, Prover] = {
        name: Assumed(prover.headers, Cause.CREDENTIAL_MISSING)
        for name, prover in table.provers.items()
    }
    return replace(table, provers=provers)


def assuming(
    table: PolicyTable, config: Config, caller: Caller, said: tuple[Document, Place] | None = None
) -> PolicyTable:
    """The table for which every request is this caller's.

    Raise ConfigError where it is nobody, with the place of a file where it was ``said`` there.
    """
    known = config.settings.credentials
    _require("tenant", caller.tenant, config.settings.tenants, said)
    for name in caller.credentials:
        _require("credential", name, known, said)
    provers: dict[str, Prover] = {}
    for name, prover in table.provers.items():
        strength = caller.strength if caller.strength is not None else strongest(known[name])
        proof = Proof(f"assumed:{caller.tenant}", strength, caller.tenant)
        shows = not caller.credentials or name in caller.credentials
        provers[name] = Assumed(prover.headers, proof if shows else Cause.CREDENTIAL_MISSING)
    return replace(table, provers=provers)


def _require(
    what: str, name: str, known: Collection[str], said: tuple[Document, Place] | None
) -> None:
    if name in known:
        return
    wrong, remedy = f"there is no {what} {shown(name)}", instead(name, known)
    if said is None:
        raise ConfigError(f"{wrong}; {remedy}")
    document, place = said
    raise document.fault(place, wrong, remedy)


def checked(line: str, headers: Mapping[str, str]) -> CheckedRequest:
    """The request that ``METHOD /path`` stands for.  Raise ConfigError where that is none."""
    method, _, path = line.strip().partition(" ")
    if not path.startswith("/") or not method.isupper() or " " in path:
        raise ConfigError(f"{shown(line)} is no request; write it as 'POST /v1/embeddings'")
    return CheckedRequest(method, path, headers)


def with_type(headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
    """As a client would send them: JSON, unless it says something else or there is no body."""
    return dict(headers) if body == b"" else {"content-type": "application/json", **headers}


def read_headers(given: Iterable[str], secret: Collection[str]) -> dict[str, str]:
    """``name: value`` each.  Raise ConfigError where one would be a credential."""
    headers = {}
    for line in given:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            raise ConfigError(f"{shown(name)} is no header field; write it as 'name: value'")
        if name in secret:
            wrong = f"the header field {name} is a credential, which arguments show to everyone"
            raise ConfigError(f"{wrong}; write --tenant NAME, or --key env:NAME")
        headers[name] = value.strip()
    return headers
