"""A small policy file that works, for tests to break in one place at a time."""

from pathlib import Path

from extproc.config import Config, compile_table, load
from extproc.policy import PolicyTable

ENVIRON = {"HMAC": "0123456789abcdef0123456789abcdef"}

TEXT = f"""\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
store: {{kind: memory}}
keys: {{hmac: "env:HMAC"}}
routes:
  - {{path: /v1/embeddings, dialect: openai_embeddings}}
  - path: "/v2/models/{{model}}/infer"
    dialect: {{kind: kserve_v2, outputs: {{probs: probabilities}}}}
  - {{path: /v2/health/ready, method: GET, dialect: status}}
fidelities:
  full: {{probabilities: pass, text: pass}}
  standard:
    probabilities: [{{kind: top_k, k: 3}}, {{kind: round, digits: 2}}]
    text: pass
policies:
  trial: {{models: ["*"], fidelity: full}}
  partner:
    models: ["text-*"]
    fidelity: standard
    limits:
      - {{name: burst, per: principal, count: requests, max: 20, window: 1s}}
tenants:
  acme: {{policy: partner, principals: ["key:{"a" * 64}"]}}
  beta: {{policy: trial, principals: ["key:{"b" * 64}"]}}
"""


def changed(*changes: tuple[str, str]) -> str:
    """The text with each first string, which must stand in it, replaced by the second."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = TEXT) -> Config:
    return load(write(folder, text))


def compiled(folder: Path, text: str = TEXT) -> PolicyTable:
    return compile_table(loaded(folder, text), ENVIRON)
