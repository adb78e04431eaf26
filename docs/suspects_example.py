"""Have a control socket tell of suspects, always the same, for the outputs of suspects.md.

Usage: ``python docs/suspects_example.py COMMAND...``, each as in ``extproc suspects show acme``;
``alert`` for the last alert as its receiver gets it, or ``log`` for what the log says of it.  It is
ten in the morning; globex asks what customers ask, and acme what none of them does.
"""

import io
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np
import orjson
from control_example import answer, main
from prometheus_client import CollectorRegistry

from extproc.audit import Pseudonyms
from extproc.config import compile_table, load
from extproc.config.detection import compile_detection
from extproc.detectors.calibration import Calibration, Threshold, seal, sketching_key
from extproc.detectors.fitting import fit
from extproc.detectors.observation import Observation
from extproc.detectors.reference import encode
from extproc.server.acts import Acts
from extproc.server.detection.calibrated import calibrated
from extproc.server.detection.cloud_event import event
from extproc.server.detection.finding import Finding
from extproc.server.detection.listeners import Listeners
from extproc.server.detection.opened import OpenedWatcher, open_watcher
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC).timestamp()
FOLDER = Path(tempfile.gettempdir()) / "extproc-suspects-example"
KEY = b"an example, and no secret at all"
ROUTE = "POST /v1/embeddings"
POLICY = """\
version: 1
listen: unix:///run/extproc/extproc.sock
health: 127.0.0.1:9101
control: unix://{folder}/control.sock
keys: {{hmac: "file:hmac"}}
detection: {{reference: reference.bin}}
routes:
  - {{path: /v1/embeddings, dialect: openai_embeddings}}
fidelities:
  standard: {{embedding: [{{kind: quantize, bits: 8}}]}}
  coarse: {{embedding: [{{kind: truncate, dimensions: 64}}, {{kind: quantize, bits: 1}}]}}
policies:
  partner:
    models: ["*"]
    fidelity: standard
    escalation:
      - {{above: 0.7, fidelity: coarse, for: 1h}}
      - {{above: 0.97, deny: true, for: 24h}}
tenants:
  acme: {{policy: partner, principals: ["key:{one}"]}}
  globex: {{policy: partner, principals: ["key:{two}"]}}
"""
ASKED = (
    ("where is", "when will i get", "can i return", "how do i cancel", "who has signed for"),
    ("my parcel", "the order", "the refund", "my invoice", "the gift card", "the blue shoes"),
    ("number", "from", "for customer", "of last week, reference", "sent to", "bought with card"),
)
OWN = (ASKED[0], ASKED[1][:3], ASKED[2])
"""What one customer asks."""
STOLEN = (
    ("translate", "summarise", "classify", "rewrite", "label"),
    ("a poem about glaciers", "this proof of zorn's lemma", "a recipe with quinoa"),
    ("as a pirate", "in hexameters", "for a physicist", "backwards", "with footnotes"),
)


class Last:
    """A listener that keeps what it heard last."""

    finding: Finding

    def found(self, finding: Finding) -> None:
        self.finding = finding


def _texts(parts: tuple[tuple[str, ...], ...], count: int) -> Iterator[str]:
    whole = [" ".join(each) for each in product(*parts)]
    rng = np.random.default_rng(7)
    for number in range(count):
        yield f"{whole[int(rng.integers(len(whole)))]} {1000 + 7 * number}"


def _written() -> Path:
    """The policy file, beside what it names."""
    reference = fit([*_texts(ASKED, 3000)], sketching_key(KEY), np.random.default_rng(0))
    threshold = Threshold(12.0, {"coverage": 4.0}, 3000, 3000, 0, 0.0, 0.000998)
    made = Calibration(encode(reference), 0.7, {"user": threshold}, NOW)
    (FOLDER / "hmac").write_bytes(KEY)
    (FOLDER / "reference.bin").write_bytes(seal(made, KEY))
    path = FOLDER / "policy.yaml"
    path.write_text(POLICY.format(folder=FOLDER, one="2c26b46b68ffc68f" * 4, two="fc" * 32))
    return path


async def _run(commands: list[str]) -> None:
    path, log, last = _written(), io.BytesIO(), Last()
    config, records = load(path), Records(log)
    tables, plan = Tables(compile_table(config)), compile_detection(config)
    assert plan is not None
    found = calibrated(plan, KEY)
    opened = open_watcher(config, found, tables, records, wall=lambda: NOW)
    registry = CollectorRegistry()
    listeners = Listeners(opened.watcher, tables, records, registry, None, found.settings)
    opened.watcher.judge.listeners.append(last)
    await _ask(opened)
    acts = Acts(tables, MemoryCounters(), Telemetry(), records, None, lambda: NOW)
    acts.suspects = listeners.suspects
    await answer(commands, path, acts, log, records, {"alert": lambda: _alert(last)})


def _alert(last: Last) -> str:
    body = event(last.finding, Pseudonyms(KEY), "urn:extproc:gateway-1", 0)
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()


async def _ask(opened: OpenedWatcher) -> None:
    await opened.start()
    for tenant, parts, count in (("globex", OWN, 100), ("acme", STOLEN, 40)):
        for number, text in enumerate(_texts(parts, count)):
            opened.watcher.notice(
                Observation(
                    time=NOW - 3600 + 10 * number,
                    tenant=tenant,
                    principal="key:1",
                    route=ROUTE,
                    model="minilm",
                    outcome="served",
                    queries=1,
                    inputs=(text,),
                )
            )
            await opened.watcher.idle()
    await opened.close()


if __name__ == "__main__":
    main(FOLDER, _run)
