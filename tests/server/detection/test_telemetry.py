from prometheus_client import CollectorRegistry, generate_latest

from extproc.server.detection.telemetry import ALERTS, DetectionTelemetry
from tests.server.detection.findings import finding


def made() -> tuple[CollectorRegistry, DetectionTelemetry]:
    registry = CollectorRegistry()
    return registry, DetectionTelemetry(registry)


def test_who_stands_on_which_step_is_counted_once_each() -> None:
    registry, telemetry = made()

    def standing(step: str, shadow: str = "false") -> float | None:
        return registry.get_sample_value("extproc_suspects", {"step": step, "shadow": shadow})

    telemetry.found(finding())
    telemetry.found(finding())
    telemetry.found(finding("beta"))
    telemetry.found(finding("gamma", shadow=True))
    assert (standing("fidelity"), standing("fidelity", "true"), standing("deny")) == (2, 1, 0)
    telemetry.found(finding(before="fidelity", after="deny"))
    assert (standing("fidelity"), standing("deny")) == (1, 1)
    telemetry.found(finding(before="deny", after="", escalated=False))
    telemetry.found(finding("never-seen", before="deny", after="", escalated=False))
    assert (standing("fidelity"), standing("deny")) == (1, 0)


def test_only_what_rises_is_an_escalation() -> None:
    registry, telemetry = made()
    telemetry.found(finding())
    telemetry.found(finding(before="challenge", escalated=False))
    labels = {"step": "fidelity", "shadow": "false"}
    assert registry.get_sample_value("extproc_escalations_total", labels) == 1


def test_no_tenant_is_a_label_and_everything_is_there_before_the_first() -> None:
    registry, telemetry = made()
    for outcome in ALERTS:
        assert registry.get_sample_value("extproc_alerts_total", {"outcome": outcome}) == 0
    telemetry.found(finding("a-tenant"))
    telemetry.alert("delivered")
    assert registry.get_sample_value("extproc_alerts_total", {"outcome": "delivered"}) == 1
    assert b"a-tenant" not in generate_latest(registry)
