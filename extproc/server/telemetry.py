"""Metrics, with few and fixed labels: never a key, a tenant's data, or a name from a body."""

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge


class Telemetry:
    """What the sidecar counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.checks = self._by(
            "outcome", "extproc_checks", "Requests that ext_authz asked about, by outcome."
        )
        self.exchanges = self._by(
            "outcome", "extproc_exchanges", "Exchanges that ended, by outcome."
        )
        self.dropped = self._by(
            "place",
            "extproc_dropped_values",
            "Values taken out of answers, by their place in the dialect.",
        )
        self.changed = self._by(
            "place",
            "extproc_changed_arguments",
            "Arguments of requests taken out or set, by their place in the dialect.",
        )
        self.streams = Gauge("extproc_streams", "Exchanges running now.", registry=self.registry)
        self.held = Gauge("extproc_held_bytes", "Bytes of bodies held now.", registry=self.registry)
        self.lost_records = Gauge(
            "extproc_lost_records",
            "Records lost because the log was read too slowly.",
            registry=self.registry,
        )
        self.lost_audit_records = Gauge(
            "extproc_lost_audit_records",
            "Records that the audit log had no room for; it tells so itself.",
            registry=self.registry,
        )
        self.audit_failing = Gauge(
            "extproc_audit_failing",
            "1 while the disk does not take what the audit log writes.",
            registry=self.registry,
        )

        self._add_reloads()

    def _add_reloads(self) -> None:
        self.config = Gauge(
            "extproc_config_info",
            "1 for the policy in force, by its hash.",
            ["hash"],
            registry=self.registry,
        )
        self.config_since = Gauge(
            "extproc_config_since_timestamp_seconds",
            "When the policy in force was put in force.",
            registry=self.registry,
        )
        self.reloads = self._by(
            "outcome", "extproc_config_reloads", "Times the files were loaded anew, by outcome."
        )
        for outcome in ("changed", "unchanged", "failed"):  # there before the first
            self.reloads(outcome)
        self.reload_failed = Gauge(
            "extproc_config_reload_failed",
            "1 while what the files say cannot be put in force.",
            registry=self.registry,
        )

    def _by(self, label: str, name: str, documentation: str) -> Callable[[str], Counter]:
        """The counter of each value of a label, kept: the library's own look-up takes a lock."""
        return cache(Counter(name, documentation, [label], registry=self.registry).labels)
