"""A policy to start from, for who has none yet: three tiers, one tenant, one fresh key.

Rule: the secret and the policy are for this user's eyes alone; the key itself is not kept.
"""

import json
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.config.keys import new_key
from extproc.credentials import api_key
from extproc.envoyconf.settings import Pipe
from extproc.gateway.beside import PROMETHEUS, REDIS, URL
from extproc.gateway.probe import free_port

_TEXT: Final = """\
# Made by `extproc up`.  Copy this folder, change what you like, and start with --policy FILE.
version: 1
listen: {listen}
health: {health}
{admin}store: {store}
keys: {{hmac: "file:hmac"}}

routes:                                  # anything else is denied
  - {{path: /v1/chat/completions, dialect: openai_chat}}
  - {{path: /v1/embeddings, dialect: openai_embeddings}}
  - {{path: "/v2/models/{{model}}/infer", dialect: kserve_v2}}
  - {{path: "/v2/models/{{model}}/ready", dialect: status, method: GET}}
  - {{path: /v2/health/live, dialect: status, method: GET}}
  - {{path: /v2/health/ready, dialect: status, method: GET}}
  - {{path: /health, dialect: status, method: GET}}

fidelities:                              # best first; kinds not named are dropped
  full:
    probabilities: pass
    score: pass
    logprobs: pass
    embedding: pass
    tensor: pass
    label: pass
    text: pass
    reasoning: pass
    usage: pass
    identity: pass
  standard:
    probabilities: [{{kind: top_k, k: 5}}, {{kind: round, digits: 2}}]
    score: [{{kind: round, digits: 2}}]
    logprobs: [{{kind: top_k, k: 3}}, {{kind: round, digits: 2}}]
    embedding: [{{kind: quantize, bits: 8}}]
    label: pass
    text: pass
    usage: pass
  coarse:
    probabilities: [{{kind: label_only}}]
    embedding: [{{kind: truncate, dimensions: 64}}, {{kind: quantize, bits: 1}}]
    label: pass
    text: pass

policies:
  start:
    models: ["*"]
    fidelity: standard
    limits:
      - {{name: burst, per: principal, count: requests, max: 50, window: 1s}}

tenants:
  local: {{policy: start, principals: ["{principal}"]}}
"""


@dataclass(frozen=True, slots=True)
class Starter:
    """A policy that was made up."""

    policy: Path
    listen: Pipe
    key: str
    """The API key of the one tenant; the policy holds its hash."""


def write_starter(directory: Path, beside: Collection[str] = ()) -> Starter:
    """Write a policy and its secret into a directory that is nobody else's.

    ``beside`` names what runs there too, for the policy to use.
    """
    secret, key = secrets.token_hex(32), new_key()
    _write(directory / "hmac", secret)
    listen = Pipe(str(directory / "extproc.sock"))
    policy = directory / "policy.yaml"
    text = _TEXT.format(
        listen=json.dumps(str(listen)),
        health=f"127.0.0.1:{free_port()}",
        admin=f"admin: 127.0.0.1:{free_port()}\n" if PROMETHEUS in beside else "",
        store=f'{{kind: redis, url: "env:{URL}"}}' if REDIS in beside else "{kind: memory}",
        principal=api_key.principal({"x-api-key": key}, secret.encode()),
    )
    _write(policy, text)
    return Starter(policy, listen, key)


def _write(path: Path, text: str) -> None:
    """A new file, 0600 from its first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
