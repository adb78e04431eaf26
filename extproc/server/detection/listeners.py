"""Everybody who is told what the watcher finds and learns, as the policy file wants it.

Rule: metrics and records first, which wait for nothing; then those who are told over a network, by
tasks of their own.
"""

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from extproc.audit import Pseudonyms
from extproc.config.receivers import Receiver
from extproc.server.audited import Auditor
from extproc.server.detection.book import Book
from extproc.server.detection.history import History
from extproc.server.detection.learned import Learned
from extproc.server.detection.recorded import Recorded
from extproc.server.detection.settings import Settings
from extproc.server.detection.suspects import SuspectActs
from extproc.server.detection.telemetry import DetectionTelemetry
from extproc.server.detection.watcher import Watcher
from extproc.server.record import Records
from extproc.server.tables import Tables

if TYPE_CHECKING:
    from extproc.server.detection.alerts import Alerts

SOURCE: Final = "urn:extproc:"
"""What alerts are from, before the name of this machine, or of this pod."""


class Listeners:
    """``start`` raises ConfigError where an alert could reach nobody."""

    def __init__(
        self,
        watcher: Watcher,
        tables: Tables,
        records: Records,
        registry: CollectorRegistry,
        auditor: Auditor | None,
        settings: Settings,
    ) -> None:
        self._watcher, self._tables, self._records = watcher, tables, records
        self._telemetry, self._history = DetectionTelemetry(registry), History()
        self._alerts: Alerts | None = None
        by_principal = settings.per == "principal"
        self.suspects = SuspectActs(Book(watcher), self._history, by_principal=by_principal)
        """What an operator asks and says."""
        recorded = Recorded(self._names, auditor, records)
        watcher.judge.listeners += [self._telemetry, self._history, recorded]
        if auditor is not None:
            watcher.learned = Learned(auditor, self._names, settings.reference).learned

    async def start(self, receivers: tuple[Receiver, ...], audit: Path | None) -> None:
        """``audit`` is the log's path, beside which alerts wait; where there is none, in memory."""
        if not receivers:
            return
        from extproc.server.detection.alerts import AlertPlan, open_alerts  # noqa: PLC0415 - httpx

        folder = audit.with_name(f".{audit.name}.alerts") if audit is not None else None
        plan = AlertPlan(receivers, SOURCE + socket.gethostname(), folder)
        made = await open_alerts(plan, self._names, self._telemetry.alert, self._records)
        self._telemetry.waiting.set_function(lambda: made.waiting)
        self._watcher.judge.listeners.append(made)
        self._alerts = made

    async def close(self) -> None:
        if self._alerts is not None:
            await self._alerts.close()

    def _names(self) -> Pseudonyms:
        """Those of the policy in force."""
        table = self._tables.now.table
        return table.pseudonyms or Pseudonyms(table.key)
