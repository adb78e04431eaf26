"""What the audit log costs an exchange: the digest of its input, and its record.

Rule: what is done on the request's path is told by itself, and with what the writing thread does,
which keeps nobody's request waiting but takes the interpreter from the event loop.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from extproc.audit import Pseudonyms
from extproc.canonical import digest
from extproc.config import AuditPlan
from extproc.events import RequestBody, RequestHeaders, ResponseBody, ResponseHeaders
from extproc.exchange import Exchange
from extproc.policy import Policy, PolicyTable
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.protobuf import Handover
from tests.bench import bodies


@contextmanager
def recording(table: PolicyTable, pause: float) -> Iterator[Callable[[], None]]:
    """Audits one exchange, a chat of 1 KB, at every call; written every ``pause`` seconds."""
    audited = replace(table, pseudonyms=Pseudonyms(table.key))
    policy = next(
        policy for (_, route), policy in table.policies.items() if route == f"POST {bodies.CHAT}"
    )
    handover = Handover("e1", table.version, policy.route.name, policy.tenant, "key:" + "0" * 64)
    machine, inputs = _served(policy), orjson.loads(bodies.ask_chat())["messages"]
    with tempfile.TemporaryDirectory(prefix="extproc-audit-") as folder:
        path = Path(folder) / "audit.jsonl"
        plan = AuditPlan(path, Ed25519PrivateKey.generate(), queue=1_000_000)
        log = AuditLog(plan, pause=pause)
        auditor = Auditor(log)

        def record() -> None:
            machine.digests = (digest(inputs),)
            auditor.ended(machine, handover, audited.excerpt(policy), 1.8e9, 0.5)

        yield record
        log.close()
        assert not log.lost


def _served(policy: Policy) -> Exchange:
    machine = Exchange(policy, {})
    machine.receive(RequestHeaders(end=False))
    machine.receive(RequestBody(bodies.ask_chat(), end=True))
    machine.receive(ResponseHeaders(200, {"content-type": "application/json"}, end=False))
    machine.receive(ResponseBody(bodies.chat_answer(), end=True))
    assert machine.outcome == "served"
    return machine
