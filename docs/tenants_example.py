"""Have a sidecar's control socket answer commands, always the same, for the outputs of tenants.md.

Usage: ``python docs/tenants_example.py COMMAND...``, each as in ``extproc tenants show acme``; or
``log`` for what the sidecar's log then says.  It is nine in the morning, and two tenants have spent
of their budgets.
"""

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from control_example import answer, main

from extproc.config import compile_table, load
from extproc.limits import SECOND, Charge
from extproc.policy import PolicyTable
from extproc.server.acts import Acts
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC).timestamp()
FOLDER = Path(tempfile.gettempdir()) / "extproc-tenants-example"
KEYS = ("2c26b46b68ffc68f" * 4, "fcde2b2edba56bf4" * 4)
POLICY = """\
version: 1
listen: unix:///run/extproc/extproc.sock
health: 127.0.0.1:9101
control: unix://{folder}/control.sock
keys: {{hmac: "file:hmac"}}
routes:
  - {{path: /v1/embeddings, dialect: openai_embeddings}}
fidelities:
  standard: {{embedding: [{{kind: quantize, bits: 8}}]}}
limits:
  - {{name: everybody, per: route, count: requests, max: 500, window: 1s}}
policies:
  partner:
    models: ["*"]
    fidelity: standard
    limits:
      - {{name: burst, per: principal, count: requests, max: 20, window: 1s}}
    budgets:
      - {{name: daily, per: tenant, count: credits, max: 5000, period: day}}
      - {{name: weekly, per: principal, count: queries, max: 10000, window: 7d}}
tenants:
  acme: {{policy: partner, principals: ["key:{keys[0]}"]}}
  globex: {{policy: partner, principals: ["key:{keys[1]}"]}}
"""
SPENT = [
    ("daily", "acme", "", 3_600_500, 0),
    ("weekly", "acme", f"key:{KEYS[0]}", 2400, 2),
    ("daily", "globex", "", 150_000, 0),
    ("weekly", "globex", f"key:{KEYS[1]}", 7_200, 3),
]
"""Of a limit, by whom, how much, and how many days ago."""


async def _run(commands: list[str]) -> None:
    (FOLDER / "hmac").write_text("an example, and no secret at all")
    path = FOLDER / "policy.yaml"
    path.write_text(POLICY.format(folder=FOLDER, keys=KEYS))
    table, log, clock = compile_table(load(path)), io.BytesIO(), [0.0]
    store, records = MemoryCounters(clock=lambda: int(clock[0] * SECOND)), Records(log)
    await _spend(table, store, clock)
    acts = Acts(Tables(table), store, Telemetry(), records, None, lambda: NOW)
    await answer(commands, path, acts, log, records)


async def _spend(table: PolicyTable, store: MemoryCounters, clock: list[float]) -> None:
    rules = {
        limit.name: limit
        for policy in table.policies.values()
        for limit in (*policy.limits, *policy.reserved)
    }
    for name, group, subject, amount, days in sorted(SPENT, key=lambda each: -each[-1]):
        clock[0] = NOW - days * 86_400
        charge = Charge(rules[name].rule, group, subject, amount)
        await store.take([charge], final=True)
    clock[0] = NOW


if __name__ == "__main__":
    main(FOLDER, _run)
