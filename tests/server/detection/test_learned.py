"""What detectors learned, in a real audit log, and back again."""

from pathlib import Path

from extproc.detectors.features import without_inputs
from extproc.detectors.observation import Observation
from extproc.detectors.seen import features_of, seen
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.detection.learned import Learned
from tests.audit.logs import record
from tests.server.detection.findings import NAMES, NOON, PERSON
from tests.server.journals import plan, report, said

SECRET = "what is the capital of France"
OBSERVATION = Observation(
    time=NOON,
    tenant="acme",
    principal=PERSON,
    route="POST /v1/x",
    model="m",
    outcome="served",
    queries=1,
    inputs=[SECRET],
    request="a1b2",
)


def test_what_was_learned_is_signed_and_makes_the_same_features(tmp_path: Path) -> None:
    features = without_inputs(NOON, "limited", 3, knobs=5, model=2)
    log = AuditLog(plan(tmp_path))
    Learned(Auditor(log), lambda: NAMES, "0a1b").learned(OBSERVATION, features)
    log.close()
    found = report(tmp_path)
    assert (found.whole, found.records, found.seen) == (True, 0, 1)
    [line] = [each for each in said(tmp_path) if each["kind"] == "seen"]
    assert (line["request"], line["tenant"], line["route"]) == ("a1b2", "acme", "POST /v1/x")
    assert line["reference"] == "0a1b"
    assert (line["principal"], line["epoch"]) == (NAMES.principal(PERSON), NAMES.epoch)
    assert seen(features_of(NOON, line["features"])) == seen(features)
    written = (tmp_path / "audit.jsonl").read_text()
    assert SECRET not in written
    assert PERSON not in written


def test_it_takes_no_room_that_records_need(tmp_path: Path) -> None:
    log = AuditLog(plan(tmp_path, queue=4, refuse=True), pause=60)
    learned = Learned(Auditor(log), lambda: NAMES)
    for number in range(3):
        learned.learned(OBSERVATION, without_inputs(NOON + number, "served", 1))
    log.add(record(1))
    assert (log.lost, log.left_out, log.refusing) == (0, 1, False)
    log.close()
    kinds = [line["kind"] for line in said(tmp_path)]
    assert (kinds.count("seen"), kinds.count("exchange")) == (2, 1)
    [gap] = [line for line in said(tmp_path) if line["kind"] == "gap"]
    assert (gap["reason"], gap["count"]) == ("seen", 1)
