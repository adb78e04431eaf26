"""Tenants and keys for attackers, written into a policy file of the operator's.

Rule: what a policy grants is left as it stands; only who is let in, where the sidecar is asked,
what its callers look like, and where its state is kept are the range's own: in memory, or, where
replicas of a gateway are to share what they count, in the range's Redis; an audit log and a vault
beside the policy file.  Keys follow from the
seed, so that what is drawn under a key (rotations, noise) is drawn again in the next run: this is a
range on one machine, and nobody else's gateway.
"""

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import yaml

CALIBRATION: Final = "calibration"
"""The file's name, beside the policy file."""
LOG, LOG_KEY = "audit.jsonl", "audit.pem"
VAULT, VAULT_KEY = "marks.vault", "vault.pem"
"""Names of what is kept there, where the policy file has anything kept; of a key, the private
one's: the public one has ``.pub`` behind it."""
_FILES: Final = {"audit": LOG, "ownership": VAULT}
"""Parts of a policy file that have the gateway keep something."""
_USER: Final = "user"
"""The traffic class of a policy that names none."""
_OF_A_SERVER: Final = (
    *("url", "topology", "master", "sentinel_password"),
    *("ca", "certificate", "key"),
)
"""What a policy file says of its own Redis; the rest of ``store`` says how it is counted there."""


@dataclass(frozen=True, slots=True)
class Party:
    """Those who attack together: ``keys`` API keys of ``tenants`` tenants, under one policy."""

    name: str
    policy: str
    keys: int = 1
    tenants: int = 1
    cohort: bool = True
    """Whether the operator knows that the tenants belong together."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A policy file that is ready to run, and everybody's keys."""

    policy: Path
    keys: Mapping[str, Sequence[str]]
    """API keys by the party's name."""
    traffic: tuple[str, ...] = ()
    """Traffic classes that detection has to be calibrated for; none where there is no detection."""
    kept: tuple[str, ...] = ()
    """Of LOG and VAULT those that the policy file has."""


def issue(
    source: Path,
    directory: Path,
    seed: int,
    parties: Sequence[Party],
    health: str,
    *,
    redis: str = "",
) -> Issued:
    """Write the policy file and its secrets into ``directory``, of this user alone.

    ``redis`` is the URL of the one that is counted in; empty: in memory.  Raise ValueError where
    ``source`` is no policy file or does not have the policy that a party is to have.
    """
    document = _read(source)
    secret = _derived(seed, "secret")
    keys = {party.name: _keys(seed, party) for party in parties}
    tenants: dict[str, Any] = {}
    for party in parties:
        if party.policy not in document.get("policies", {}):
            raise ValueError(f"{source}: there is no policy {party.policy!r}")
        tenants |= _tenants(party, keys[party.name], secret)
    filled = document | {
        "listen": f"unix://{directory / 'extproc.sock'}",
        "health": health,
        "keys": {"hmac": "file:hmac"},
        "store": _shared(document) if redis else {"kind": "memory"},
        "tenants": tenants,
        **_watched(document),
        **_kept(document),
    }
    _write(directory / "hmac", secret)
    if redis:
        _write(directory / "redis", redis)
    _write(directory / "policy.yaml", yaml.safe_dump(filled, sort_keys=False))
    kept = tuple(name for part, name in _FILES.items() if part in document)
    return Issued(directory / "policy.yaml", keys, _classes(document), kept)


def shares(source: Path) -> bool:
    """Whether the policy file has replicas count together, in a Redis.

    Raise ValueError where it is no policy file.
    """
    store = _read(source).get("store")
    return isinstance(store, dict) and store.get("kind") == "redis"


def principal(key: str, secret: str) -> str:
    """What a policy lists for an API key: docs/keys.md says how it is computed."""
    return "key:" + hmac.new(secret.encode(), key.encode(), sha256).hexdigest()


def _read(source: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{source}: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{source}: this is no policy file")  # noqa: TRY004 -- of the file
    return document


def _shared(document: Mapping[str, Any]) -> dict[str, Any]:
    own = document["store"]
    return {name: own[name] for name in own if name not in _OF_A_SERVER} | {"url": "file:redis"}


def _watched(document: Mapping[str, Any]) -> dict[str, Any]:
    """What callers look like is the range's own; nobody is told of them but by its answers."""
    if "detection" not in document:
        return {}
    return {"detection": document["detection"] | {"reference": CALIBRATION, "alerts": []}}


def _kept(document: Mapping[str, Any]) -> dict[str, Any]:
    """The operator's own log and vault are not written to, and their keys are not asked for."""
    own = {
        "audit": {"path": LOG, "key": f"file:{LOG_KEY}"},
        "ownership": {"vault": VAULT, "recipient": f"file:{VAULT_KEY}.pub"},
    }
    kept = {part: document[part] | own[part] for part in _FILES if part in document}
    if "audit" in kept:
        kept["audit"].pop("pseudonyms", None)
    return kept


def _classes(document: Mapping[str, Any]) -> tuple[str, ...]:
    if "detection" not in document:
        return ()
    policies = document.get("policies", {}).values()
    return tuple(sorted({policy.get("traffic", _USER) for policy in policies}))


def _keys(seed: int, party: Party) -> list[str]:
    return [f"xk-{_derived(seed, f'{party.name} {at}')[:43]}" for at in range(party.keys)]


def _tenants(party: Party, keys: Sequence[str], secret: str) -> dict[str, Any]:
    """Keys are dealt to tenants in turn."""
    cohort = {"cohort": party.name} if party.cohort else {}
    return {
        f"{party.name}-{at}": {
            "policy": party.policy,
            "principals": [principal(key, secret) for key in keys[at :: party.tenants]],
            **cohort,
        }
        for at in range(party.tenants)
    }


def _derived(seed: int, use: str) -> str:
    return sha256(f"extproc redteam, seed {seed}: {use}".encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    """A new file, 0600 from its first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
