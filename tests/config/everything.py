"""A policy that names a file of every kind, to be changed one at a time."""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from extproc.auditor.keys import new_pair
from tests.config.scale import write_keys
from tests.credentials.signing import PRIVATE, public
from tests.issuer import EC, NAME, OTHER_EC, jwks

_SCHEMA = '{"type": "object", "maxProperties": %d}'
_ASKED = f"issuer: '{NAME}', audience: a, algorithms: [ES256], jwks: 'file:jwks.json'"
_OPAQUE = f"issuer: '{NAME}', url: 'https://127.0.0.1:1/', client_id: us"

TEXT = f"""\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
keys: {{hmac: "file:hmac"}}
audit: {{path: audit.jsonl, key: "file:audit.pem", pseudonyms: "file:pseudonyms"}}
credentials:
  keys: {{kind: api_key, file: keys.jsonl}}
  tokens: {{kind: jwt, {_ASKED}}}
  opaque: {{kind: introspection, {_OPAQUE}, client_secret: "file:client"}}
  signed:
    kind: signature
    keys:
      one: {{tenant: tenant-00000, algorithm: ed25519, public_key: "file:signing.pem"}}
      two: {{tenant: tenant-00000, algorithm: hmac-sha256, secret: "file:signing.secret"}}
routes:
  - path: /v1/embeddings
    dialect: openai_embeddings
    input: {{schema: "file:schema.json"}}
fidelities:
  standard: {{embedding: pass}}
policies:
  partner: {{models: ["*"], fidelity: standard}}
tenants:
  tenant-00000: {{policy: partner}}
"""


def write(folder: Path) -> Path:
    """The policy, and all its files."""
    for name in ("hmac", "pseudonyms", "client", "signing.secret"):
        (folder / name).write_text("0" * 32)
    write_keys(folder, 2, 1)
    (folder / "jwks.json").write_bytes(jwks(EC))
    (folder / "signing.pem").write_bytes(public(PRIVATE["ed25519"]))
    (folder / "schema.json").write_text(_SCHEMA % 9)
    (folder / "audit.pem").write_bytes(new_pair()[0])
    path = folder / "policy.yaml"
    path.write_text(TEXT)
    return path


def _signing_key(folder: Path) -> None:
    (folder / "signing.pem").write_bytes(public(ed25519.Ed25519PrivateKey.generate()))


def _secret(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("1" * 32)


CHANGES: dict[str, Callable[[Path], object]] = {
    "policy.yaml": lambda folder: (folder / "policy.yaml").write_text(
        TEXT.replace('["*"]', '["text-*"]')
    ),
    "hmac": _secret("hmac"),
    "pseudonyms": _secret("pseudonyms"),
    "client": _secret("client"),
    "signing.secret": _secret("signing.secret"),
    "signing.pem": _signing_key,
    "keys.jsonl": lambda folder: write_keys(folder, 3, 1),
    "jwks.json": lambda folder: (folder / "jwks.json").write_bytes(jwks(OTHER_EC)),
    "schema.json": lambda folder: (folder / "schema.json").write_text(_SCHEMA % 8),
}
"""By file: another content of it, which makes another policy."""
