"""Metrics, with few and fixed labels: never a key, a tenant's data, or a name from a body."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from platform import python_version
from typing import Final, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from extproc.limits import Charge, Level, Refused, Taken
from extproc.rollout import Mode, Rollout

# A second series for each counter and histogram, which Prometheus has no use for.
disable_created_metrics()  # type: ignore[no-untyped-call]

NEAR: Final = 0.2
"""Share of a limit that is left where it counts as nearly exhausted."""


BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


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
        limits = Counter(
            "extproc_limits",
            "Charges to limits and budgets, by the name of the limit and what became of them.",
            ["limit", "outcome"],
            registry=self.registry,
        )
        self.limits: Callable[[str, str], Counter] = cache(limits.labels)
        self.acts: Callable[[str, str], Counter] = self._acts()
        self._add_exchanges()
        self._add_marks()
        self._add_times()
        self._add_reloads()
        self._add_process()

    def _add_times(self) -> None:
        self.check_seconds = Histogram(
            "extproc_check_duration_seconds",
            "What ext_authz took to decide on a request.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.own_seconds = Histogram(
            "extproc_own_duration_seconds",
            "What ext_proc itself added to an exchange: reading and rewriting it, and asking the"
            " store; not the model, nor the wait for an instant that a policy asks for.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.lag = Gauge(
            "extproc_event_loop_lag_seconds",
            "How late the event loop was, at most, since this was asked last.",
            registry=self.registry,
        )

    def _add_process(self) -> None:
        build = Info("extproc_build", "What runs.", registry=self.registry)
        build.info({"version": version("extproc"), "python": python_version()})
        ProcessCollector(registry=self.registry)

    def _add_exchanges(self) -> None:
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
        self.settling = Gauge(
            "extproc_settling",
            "Exchanges that are over, whose charges the store is being told.",
            registry=self.registry,
        )
        self.held = Gauge("extproc_held_bytes", "Bytes of bodies held now.", registry=self.registry)
        self.lost_records = Gauge(
            "extproc_lost_records",
            "Records lost because the log was read too slowly.",
            registry=self.registry,
        )
        self.lost_spans = Gauge(
            "extproc_lost_spans",
            "Spans lost because the OpenTelemetry collector was away or too slow.",
            registry=self.registry,
        )
        self.lost_audit_records = Gauge(
            "extproc_lost_audit_records",
            "Records that the audit log had no room for, or will never write.",
            registry=self.registry,
        )
        self.audit_failing = Gauge(
            "extproc_audit_failing",
            "1 while the disk does not take what the audit log writes.",
            registry=self.registry,
        )

    def _add_marks(self) -> None:
        self.lost_marks = Gauge(
            "extproc_lost_marks",
            "Marks, controls and embeddings that could not be committed to; each comes again with"
            " the next answer about its cell.",
            registry=self.registry,
        )
        self.vault_entries = Gauge(
            "extproc_vault_entries", "Entries of the vault of marks.", registry=self.registry
        )

    def rolled_out(self, rollout: Rollout) -> None:
        """Tell how far the policy is in force; a share is one of what is enforced."""
        percent = rollout.percent if rollout.mode == "enforce" else 100
        for mode in get_args(Mode):
            self.rollout.labels(mode).set(percent if mode == rollout.mode else 0)

    def charged(self, charges: Sequence[Charge], outcome: Taken | Refused) -> None:
        """Count what became of charges, by the names that the policy file has for limits."""
        if isinstance(outcome, Taken):
            for charge, level in zip(charges, outcome.levels, strict=True):
                if charge.amount:
                    self.limits(_name(charge), "near" if near(charge, level) else "taken").inc()
            return
        for wait in outcome.waits:
            self.limits(_name(charges[wait.index]), "refused").inc()

    def _acts(self) -> Callable[[str, str], Counter]:
        told = "What operators did about budgets, and what became of it."
        acts = Counter("extproc_acts", told, ["act", "outcome"], registry=self.registry)
        return cache(acts.labels)

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
        self.rollout = Gauge(
            "extproc_rollout_percent",
            "Of tenants, for whom the policy is as its mode says; 0 for the other modes.",
            ["mode"],
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


def near(charge: Charge, level: Level) -> bool:
    """Whether a charge left a limit nearly exhausted."""
    return level.left <= NEAR * charge.rule.max


def nearly_exhausted(taken: Taken) -> list[str]:
    """The names of the limits that a request left so."""
    levels = zip(taken.charges, taken.levels, strict=True)
    return [_name(charge) for charge, level in levels if charge.amount and near(charge, level)]


def _name(charge: Charge) -> str:
    return charge.rule.name.partition("/")[0]
