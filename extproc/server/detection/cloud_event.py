"""A finding as CloudEvents 1.0 has it, in JSON (structured content mode).

Rule: names, counts and nats; of a principal its pseudonym, by which audit records call it too.
"""

import math
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from extproc.audit import Pseudonyms
from extproc.server.detection.finding import Finding

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
TYPE: Final = "io.extproc.suspicion.v1"


def identity(finding: Finding, names: Pseudonyms) -> str:
    """32 hexadecimal digits, the same whenever and to whomever this finding is told."""
    told = (called(finding, names), finding.before, finding.after, finding.time, finding.suspicion)
    return blake2b(orjson.dumps(told), digest_size=16).hexdigest()


def called(finding: Finding, names: Pseudonyms) -> str:
    """What its subject is called wherever it is told."""
    return names.suspect(finding.subject, finding.tenant, finding.principal)


def spoken(evidence: Mapping[str, float]) -> dict[str, float]:
    """Those that say something, the strongest first, to a thousandth of a nat."""
    found = [(name, round(nats, 3)) for name, nats in evidence.items() if math.isfinite(nats)]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def event(finding: Finding, names: Pseudonyms, source: str, held_back: int = 0) -> bytes:
    """``source`` is a URI reference; ``held_back`` counts what was found of the subject since the
    last event about it, and is told only here.
    """
    subject = called(finding, names)
    told = {
        "specversion": "1.0",
        "id": identity(finding, names),
        "source": source,
        "type": TYPE,
        "subject": subject,
        "time": moment(finding.time),
        "datacontenttype": "application/json",
        "data": _data(finding, subject, held_back),
    }
    return orjson.dumps(told)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _data(finding: Finding, subject: str, held_back: int) -> dict[str, Any]:
    return {
        "tenant": finding.tenant,
        "traffic": finding.traffic,
        "suspicion": round(finding.suspicion, 4),
        "before": finding.before,
        "after": finding.after,
        "escalated": finding.escalated,
        "until": moment(finding.until) if finding.until else None,
        "shadow": finding.shadow,
        "evidence": spoken(finding.evidence),
        "counts": dict(finding.counts),
        "policy": finding.policy,
        "held_back": held_back,
        "next": _next(shlex.quote(subject)),
    }


def _next(subject: str) -> dict[str, str]:
    """What to type."""
    return {
        "show": f"extproc suspects show {subject}",
        "forgive": f"extproc suspects forgive {subject}",
        "trust": f"extproc suspects trust {subject} --for 7d",
        "freeze": f"extproc suspects freeze {subject}",
    }
