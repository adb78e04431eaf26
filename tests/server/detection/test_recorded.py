"""Findings, in a real audit log and on a real standard error."""

import io
from pathlib import Path

import orjson

from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.detection.cloud_event import event
from extproc.server.detection.recorded import Recorded
from extproc.server.record import Records
from tests.server.detection.findings import NAMES, PERSON, finding, person
from tests.server.journals import plan, report, said


def test_a_finding_is_chained_and_signed_and_says_what_its_alert_says(tmp_path: Path) -> None:
    log, records = AuditLog(plan(tmp_path)), Records(io.BytesIO())
    listener = Recorded(lambda: NAMES, Auditor(log), records)
    listener.found(person())
    listener.found(finding(before="fidelity", after="", escalated=False, until=0.0))
    log.close()
    records.close()
    found = report(tmp_path)
    assert (found.whole, found.records, found.suspected) == (True, 0, 2)
    first, second = [line for line in said(tmp_path) if line["kind"] == "suspected"]
    alert = orjson.loads(event(person(), NAMES, "x"))
    assert (first["finding"], first["subject"]) == (alert["id"], alert["subject"])
    for name in ("tenant", "suspicion", "after", "evidence", "counts", "policy"):
        assert first[name] == alert["data"][name]
    assert first["principal"] == NAMES.principal(PERSON)
    assert first["epoch"] == NAMES.epoch
    assert (second["after"], second["until"]) == ("", None)
    assert PERSON not in (tmp_path / "audit.jsonl").read_text()


def test_without_an_audit_log_a_finding_still_stands_on_standard_error() -> None:
    written = io.BytesIO()
    records = Records(written)
    Recorded(lambda: NAMES, None, records).found(person())
    records.close()
    line = orjson.loads(written.getvalue())
    assert (line["message"], line["after"], line["tenant"]) == ("suspected", "fidelity", "acme")
    assert PERSON.encode() not in written.getvalue()
