"""A policy with detection, its calibration, and what was learned of callers."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from extproc.audit import Seen
from extproc.detectors.calibration import Calibration, Threshold, seal, sketching_key
from extproc.detectors.reference import encode
from extproc.detectors.seen import name, seen
from extproc.detectors.sketch import Sketcher
from tests.config.example import ENVIRON, changed, write
from tests.detectors.questions import asked, questions, reference
from tests.replay.recorded import ROUTE, START

KEY = ENVIRON["HMAC"].encode()
STEPS = """\
    escalation:
      - {above: 0.7, fidelity: low, for: 1h}
      - {above: 0.9, challenge: proof_of_work, for: 1h}
      - {above: 0.97, deny: true, for: 24h}
"""
_LOW = "    text: pass\n  low: {probabilities: [{kind: label_only}]}\npolicies:"
_LIMITS = (
    "    limits:\n      - {name: burst, per: principal, count: requests, max: 20, window: 1s}\n"
)


def policy(folder: Path, steps: str = STEPS, tenant: str = "", threshold: float = 8.0) -> Path:
    """The policy file, and the calibration beside it."""
    made_of = Threshold(threshold, {}, 3000, 3000, 0, 0.0, 0.001)
    made = Calibration(_written(), 0.7, {"user": made_of}, 0.0)
    (folder / "reference").write_bytes(seal(made, KEY))
    text = changed(
        ("routes:\n", "detection: {reference: reference}\nroutes:\n"),
        ("    text: pass\npolicies:", _LOW),
        (_LIMITS, steps),
        ("acme: {policy: partner,", f"acme: {{policy: partner,{tenant}"),
    )
    return write(folder, text)


@cache
def _written() -> bytes:
    return encode(reference(sketching_key(KEY)))


@cache
def _sketcher() -> Sketcher:
    key = sketching_key(KEY)
    return Sketcher(reference(key), key)


def learned(count: int, *, stranger: bool, first: float = 0.0, **more: str) -> Iterator[Seen]:
    """Of so many questions, one a second."""
    said = {"tenant": "acme", "route": ROUTE, "reference": name(_written()), **more}
    for number, text in enumerate(questions(count, 3, stranger=stranger)):
        (features,) = _sketcher().features([asked(text)])
        time = START + timedelta(seconds=first + number)
        yield Seen(time, "e", features=seen(features), **said)
