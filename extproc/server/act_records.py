"""The records of what operators do: in the audit log, on standard error, and as a count.

Rule: what could not be recorded is not done.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from extproc.audit import Act
from extproc.server.audited import Auditor
from extproc.server.record import Records
from extproc.server.telemetry import Telemetry

FULL: Final = "the audit log cannot be written, so that nothing may be done; is its disk full?"


class Peer(Struct, frozen=True):
    """Whose process asks."""

    uid: int
    pid: int
    who: str


class ActRecords:
    def __init__(self, telemetry: Telemetry, records: Records, auditor: Auditor | None) -> None:
        self._telemetry, self._records, self._auditor = telemetry, records, auditor

    @property
    def audited(self) -> bool:
        """Whether there is an audit log."""
        return self._auditor is not None

    @property
    def refusing(self) -> bool:
        """Whether nothing may be done now."""
        return self._auditor is not None and self._auditor.refusing

    def add(self, act: Act) -> None:
        if self._auditor is not None:
            self._auditor.acted(act)
        self._telemetry.acts(act.act, act.outcome).inc()
        self._records.add("act", _fields(act))


def _fields(act: Act) -> Mapping[str, object]:
    """Of the record on standard error, which has a time of its own."""
    return {name: getattr(act, name) for name in act.__struct_fields__ if name != "time"}
