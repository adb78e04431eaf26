"""A policy file in which everything is protected, for tests to take one protection out at a time.

``policy`` is the file as data; what is written of it is YAML, since JSON is YAML.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extproc.config import compile_table, load
from extproc.inventory.report import Assumed, Inventory, Reason, Surface
from extproc.inventory.survey import survey

ENVIRON = {"HMAC": "0123456789abcdef0123456789abcdef"}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLAIN = Assumed()
EMBEDDINGS = "POST /v1/embeddings"
CHAT = "POST /v1/chat/completions"
INFER = "POST /v2/models/{model}/infer"


def policy(**changed: Any) -> dict[str, Any]:
    """With these parts of the top level instead."""
    return {
        "version": 1,
        "listen": "unix:///run/extproc.sock",
        "health": "127.0.0.1:9101",
        "keys": {"hmac": "env:HMAC"},
        "timing": {"grid": "250ms"},
        "length": {"buckets": "pow2"},
        "credentials": {"mesh": {"kind": "mtls", "digests": {"ab" * 32: "acme"}}},
        "routes": [
            {"path": "/v1/embeddings", "dialect": "openai_embeddings", "input": {"batch": 16}},
            {"path": "/v1/chat/completions", "dialect": "openai_chat", "input": {"depth": 8}},
            {
                "path": "/v2/models/{model}/infer",
                "dialect": {"kind": "kserve_v2", "outputs": {"p": "probabilities", "s": "score"}},
                "input": {"batch": 16},
            },
            {"path": "/v2/health/ready", "method": "GET", "dialect": "status"},
        ],
        "fidelities": {
            "guarded": {
                "embedding": [{"kind": "rotate"}, {"kind": "quantize", "bits": 1}],
                "probabilities": [{"kind": "label_only"}],
                "text": "pass",
            }
        },
        "policies": {
            "partner": {
                "models": ["text-*"],
                "fidelity": "guarded",
                "repeatable": False,
                "allow": {"streaming": False, "tools": False, "choices": 1, "max_tokens": 64},
                "limits": [
                    {"name": "all", "per": "tenant", "count": "requests", "max": 9, "window": "1d"}
                ],
            }
        },
        "tenants": {"acme": {"policy": "partner"}},
    } | changed


def partner(**changed: Any) -> dict[str, Any]:
    """The file with these parts of its one policy instead; None takes one out."""
    whole = policy()
    parts = whole["policies"]["partner"] | changed
    whole["policies"]["partner"] = {name: part for name, part in parts.items() if part is not None}
    return whole


def tier(**kinds: Any) -> dict[str, Any]:
    """The file with these kinds alone in its tier."""
    return policy(fidelities={"guarded": kinds})


def surveyed(folder: Path, data: Any, assumed: Assumed = PLAIN, now: datetime = NOW) -> Inventory:
    file = folder / "policy.yaml"
    file.write_text(json.dumps(data))
    config = load(file)
    return survey(config, compile_table(config, ENVIRON), assumed, now)


def surface(inventory: Inventory, route: str) -> Surface:
    """The one of a route."""
    [found] = [each for each in inventory.surfaces if each.route == route]
    return found


def saying(reasons: tuple[Reason, ...], words: str) -> Reason:
    """The one that says so."""
    [found] = [reason for reason in reasons if words in reason.what]
    return found
