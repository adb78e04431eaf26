"""Policies of many tenants and files of many keys, for what must hold of them at any size."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from extproc.config.key_file import KeyLine, encoded

SECRET = b"0123456789abcdef0123456789abcdef"
ENVIRON = {"HMAC": SECRET.decode()}
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)

_HEAD = """\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
keys: {hmac: "env:HMAC"}
credentials: {keys: {kind: api_key, file: keys.jsonl}}
routes:
  - {path: /v1/embeddings, dialect: openai_embeddings}
  - {path: /v1/chat/completions, dialect: openai_chat}
  - {path: /v1/completions, dialect: openai_completions}
  - {path: /v1/responses, dialect: openai_responses}
  - {path: /v1/moderations, dialect: openai_moderations}
  - {path: /v1/messages, dialect: anthropic_messages}
  - {path: "/v2/models/{model}/infer", dialect: kserve_v2}
  - {path: /v2/health/ready, method: GET, dialect: status}
fidelities:
  full: {probabilities: pass, text: pass}
  standard:
    probabilities: [{kind: smooth, margin: 0.1}]
    text: pass
policies:
  trial: {models: ["*"], fidelity: full}
  partner:
    models: ["text-*"]
    fidelity: standard
    limits:
      - {name: burst, per: principal, count: requests, max: 20, window: 1s}
tenants:
"""
ROUTES = 8


def tenant(index: int) -> str:
    return f"tenant-{index:05}"


def listed(index: int) -> str:
    """A key that the policy itself lists."""
    return f"sk-listed-{index}"


def key(index: int) -> str:
    """A key of the key file; never two of one hash."""
    return f"xk-{index:012x}-{index}"


def hashed(text: str) -> str:
    return hmac.digest(SECRET, text.encode(), "sha256").hex()


def write_policy(folder: Path, tenants: int) -> Path:
    """Each tenant lists a key and owns others."""
    path = folder / "policy.yaml"
    with path.open("w") as file:
        file.write(_HEAD)
        for index in range(tenants):
            policy = "trial" if index % 2 else "partner"
            principals = f'["key:{hashed(listed(index))}"]'
            file.write(f"  {tenant(index)}: {{policy: {policy}, principals: {principals}}}\n")
    return path


def write_keys(folder: Path, keys: int, tenants: int) -> Path:
    """Given out in turn; every second one expires."""
    path = folder / "keys.jsonl"
    with path.open("wb") as file:
        file.writelines(map(encoded, _lines(keys, tenants)))
    return path


def _lines(keys: int, tenants: int) -> Iterable[KeyLine]:
    for index in range(keys):
        yield KeyLine(
            id=f"{index:012x}",
            prefix=f"xk-{index:012x}",
            hash=hashed(key(index)),
            tenant=tenant(index % tenants),
            created=CREATED,
            expires=EXPIRES if index % 2 else None,
        )
