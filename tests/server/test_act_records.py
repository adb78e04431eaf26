"""Records of acts, in a real log."""

import io
from pathlib import Path

import orjson

from extproc.server.act_records import ActRecords
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.record import Records
from extproc.server.telemetry import Telemetry
from tests.audit.logs import act
from tests.server.journals import kinds, plan


def test_an_act_stands_in_the_audit_log_on_standard_error_and_in_a_metric(tmp_path: Path) -> None:
    log, written, telemetry = AuditLog(plan(tmp_path)), io.BytesIO(), Telemetry()
    records = Records(written)
    made = ActRecords(telemetry, records, Auditor(log))
    made.add(act(outcome="unknown"))
    assert (made.audited, made.refusing) == (True, False)
    log.failing = True
    assert made.refusing
    log.close()
    records.close()
    assert kinds(tmp_path) == "ocac"
    assert orjson.loads(written.getvalue())["act"] == "freeze"
    labels = {"act": "freeze", "outcome": "unknown"}
    assert telemetry.registry.get_sample_value("extproc_acts_total", labels) == 1


def test_without_an_audit_log_nothing_is_refused() -> None:
    records = Records(io.BytesIO())
    made = ActRecords(Telemetry(), records, None)
    made.add(act())
    records.close()
    assert (made.audited, made.refusing) == (False, False)
