"""What another policy changes: see extproc/replay/comparison.py."""

from extproc.replay.comparison import Change, Comparison, Tenant
from extproc.replay.judge import Verdict
from tests.replay.recorded import record


def test_changes_are_counted_by_tenant_the_most_changed_first() -> None:
    comparison = Comparison()
    comparison.add(record(tenant="beta"), Verdict("served", fidelity="full"))
    for _ in range(2):
        comparison.add(record(), Verdict("served", "challenged", "daily", "low"))
    comparison.add(record(), Verdict("refused", "rate_limit_exceeded", "daily"))
    refused = record(decision="refused", reason="model_denied")
    comparison.add(refused, Verdict("served", fidelity="full"))
    comparison.add(record(decision="cut"), Verdict("refused", "cut"))
    acme, beta = comparison.tenants()
    assert acme == Tenant(
        "acme",
        requests=5,
        served=3,
        would=3,
        lowered=2,
        changes=(
            Change("served at full", "served at low for work (daily)", 2),
            Change("served at full", "refused: rate_limit_exceeded (daily)", 1),
            Change("refused: model_denied", "served at full", 1),
            Change("cut", "refused: cut", 1),
        ),
    )
    assert beta == Tenant("beta", 1, 1, 1, 0, ())
