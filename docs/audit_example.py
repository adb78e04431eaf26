"""Write a small audit log into a folder, always the same, for the outputs that audit.md shows.

Usage: ``python docs/audit_example.py FOLDER``.  One tenant asks on; another asks the same thing
again and again, and now and then for a model it was not granted.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from extproc.audit import Act, Enforced, Pseudonyms, Record
from extproc.canonical import digest
from extproc.config import AuditPlan
from extproc.server.audit_journal import Journal

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC).timestamp()
KEY = Ed25519PrivateKey.from_private_bytes(b"an example, and no secret at all")
NAMES = Pseudonyms(b"an example, and no secret either")
POLICY = "9f2c6a1d0b7e4835"
ROUTE = "POST /v1/chat/completions"

GRANTED = {"budget": "daily", "amount": 500.0, "unit": "credits", "counters": 1}
ACTS: list[dict[str, Any]] = [
    {"act": "grant", "tenant": "acme", **GRANTED},
    {"act": "freeze", "tenant": "globex"},
]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("audit.jsonl*"):
        old.unlink()
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "audit.pub").write_bytes(public)
    clock = [START]
    journal = Journal(
        AuditPlan(folder / "audit.jsonl", KEY, every=20, size=16_000), lambda: clock[0]
    )
    journal.write([Enforced(datetime.fromtimestamp(START, UTC), POLICY)])
    for number in range(60):
        clock[0] += 60
        journal.write([_record(number, clock[0])])
        journal.tick()
    for number, more in enumerate(ACTS):
        own = {"time": datetime.fromtimestamp(clock[0] + number, UTC), "epoch": NAMES.epoch}
        journal.write([Act(**own, uid=998, pid=4711, who="extproc", **more)])
    changed = datetime.fromtimestamp(clock[0] + 60, UTC)
    journal.write([Enforced(changed, "41d7e0a95c3b8f26", POLICY, "files")])
    journal.close()


def _record(number: int, now: float) -> Record:
    tenant, key, question = ("acme", "key:2c26b46b68ffc68f", f"question {number}")
    if number % 3 == 0:
        tenant, key, question = "globex", "key:fcde2b2edba56bf4", "the same question"
    told = {"principal": key, "tenant": tenant, "route": ROUTE, "policy": POLICY}
    own = {
        "request": f"{number:016x}",
        "time": datetime.fromtimestamp(now, UTC),
        "epoch": NAMES.epoch,
    }
    if number % 9 == 6:
        refusal = {"decision": "refused", "reason": "model_not_found", "status": 404}
        return Record(**own, **told, **refusal, fidelity="standard", duration=0.0012)
    return Record(
        **own,
        **told,
        decision="served",
        model="chat",
        inputs=1,
        fingerprint=NAMES.input([digest(question)]),
        fidelity="standard",
        dropped={"choices[].logprobs": 1},
        charge={"requests": 1},
        status=200,
        duration=0.25 + number / 100,
    )


if __name__ == "__main__":
    main()
