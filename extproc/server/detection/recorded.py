"""Findings as records: one in the audit log, and one on standard error.

Rule: what an alert says of somebody stands there too, under the same name and the same id.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from extproc.audit import Pseudonyms, Suspected
from extproc.server.audited import Auditor
from extproc.server.detection.cloud_event import called, identity, spoken
from extproc.server.detection.finding import Finding
from extproc.server.record import Records


class Recorded:
    """A Listener."""

    def __init__(
        self, names: Callable[[], Pseudonyms], auditor: Auditor | None, records: Records
    ) -> None:
        self._names, self._auditor, self._records = names, auditor, records

    def found(self, finding: Finding) -> None:
        made = suspected(finding, self._names())
        if self._auditor is not None:
            self._auditor.suspected(made)
        self._records.add("suspected", _fields(made), "warning")


def suspected(finding: Finding, names: Pseudonyms) -> Suspected:
    return Suspected(
        time=datetime.fromtimestamp(finding.time, UTC),
        finding=identity(finding, names),
        subject=called(finding, names),
        tenant=finding.tenant,
        principal=names.principal(finding.principal),
        epoch=names.epoch,
        traffic=finding.traffic,
        suspicion=round(finding.suspicion, 4),
        before=finding.before,
        after=finding.after,
        escalated=finding.escalated,
        until=datetime.fromtimestamp(finding.until, UTC) if finding.until else None,
        shadow=finding.shadow,
        evidence=spoken(finding.evidence),
        counts=dict(finding.counts),
        policy=finding.policy,
    )


def _fields(found: Suspected) -> dict[str, object]:
    """Of the record on standard error, which has a time of its own."""
    return {name: getattr(found, name) for name in found.__struct_fields__ if name != "time"}
