"""Findings, and what they are told under."""

from typing import Any

from extproc.audit import Pseudonyms
from extproc.server.detection.finding import Finding

NAMES = Pseudonyms(b"s" * 32)
PERSON = "jwt:https://issuer.example|alice@example.com"
NOON = 1_800_000_000.0


def finding(tenant: str = "acme", **more: Any) -> Finding:
    said: dict[str, Any] = {
        "time": NOON,
        "subject": tenant,
        "tenant": tenant,
        "principal": "",
        "traffic": "user",
        "suspicion": 0.95,
        "evidence": {"cadence": 0.25, "novelty": 9.0625, "volume": float("-inf")},
        "counts": {"queries": 120, "exchanges": 12},
        "before": "",
        "after": "fidelity",
        "escalated": True,
        "until": NOON + 3600,
        "policy": "9f2c6a1d0b7e4835",
    }
    return Finding(**{**said, **more})


def person(**more: Any) -> Finding:
    return finding(**{"subject": f"acme|{PERSON}", "principal": PERSON, **more})
