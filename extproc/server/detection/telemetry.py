"""What is counted of suspects: by step, never by tenant."""

from collections import Counter as Counts
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from extproc.server.detection.finding import Finding

STEPS: Final = ("throttle", "fidelity", "challenge", "deny")
ALERTS: Final = ("delivered", "retried", "given_up", "lost", "held_back", "unkept")

_Place = tuple[str, str]
"""A step, and whether it is only on trial."""


class DetectionTelemetry:
    """A Listener."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._places: dict[str, _Place] = {}
        self._standing: Counts[_Place] = Counts()
        self._escalations = Counter(
            "extproc_escalations",
            "Times that a suspect was put on a step, or on a higher one.",
            ["step", "shadow"],
            registry=registry,
        )
        self._suspects = Gauge(
            "extproc_suspects",
            "Suspects that stand on a step now.",
            ["step", "shadow"],
            registry=registry,
        )
        self._alerts = Counter(
            "extproc_alerts", "Alerts, by what became of them.", ["outcome"], registry=registry
        )
        self.waiting = Gauge(
            "extproc_alerts_waiting", "Alerts that are not delivered yet.", registry=registry
        )
        self._begin()

    def _begin(self) -> None:
        """Have all there before the first: what begins at 1 is no increase to whoever asks."""
        for outcome in ALERTS:
            self._alerts.labels(outcome)
        for step in STEPS:
            for shadow in ("true", "false"):
                self._escalations.labels(step, shadow)
                self._suspects.labels(step, shadow).set(0)

    def alert(self, outcome: str) -> None:
        self._alerts.labels(outcome).inc()

    def found(self, finding: Finding) -> None:
        shadow = "true" if finding.shadow else "false"
        if finding.escalated:
            self._escalations.labels(finding.after, shadow).inc()
        before = self._places.pop(finding.subject, None)
        if before is not None:
            self._set(before, -1)
        if finding.after:
            self._places[finding.subject] = after = (finding.after, shadow)
            self._set(after, 1)

    def _set(self, place: _Place, more: int) -> None:
        self._standing[place] += more
        self._suspects.labels(*place).set(self._standing[place])
