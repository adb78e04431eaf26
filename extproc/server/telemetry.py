"""Metrics, with few and fixed labels: never a key, a tenant's data, or a name from a body."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Telemetry:
    """What the sidecar counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.checks = Counter(
            "extproc_checks",
            "Requests that ext_authz asked about, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.exchanges = Counter(
            "extproc_exchanges",
            "Exchanges that ended, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "extproc_dropped_values",
            "Values taken out of answers, by their place in the dialect.",
            ["place"],
            registry=self.registry,
        )
        self.streams = Gauge("extproc_streams", "Exchanges running now.", registry=self.registry)
        self.held = Gauge("extproc_held_bytes", "Bytes of bodies held now.", registry=self.registry)
        self.lost_records = Gauge(
            "extproc_lost_records",
            "Records lost because the log was read too slowly.",
            registry=self.registry,
        )
