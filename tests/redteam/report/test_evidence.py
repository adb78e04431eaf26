from extproc.redteam.attack import Family
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.evidence import Effect, Evidence, compare, told_apart
from extproc.redteam.report.model import Model, gather
from tests.redteam.report.made_up import ATTACKS, RUN, row


def test_less_is_what_is_less_beyond_doubt() -> None:
    values = {"none": (0.9, 0.91), "coarse": (0.5, 0.51), "full": (0.89, 0.9)}
    rows = [
        row(value=value, seed=seed, policy=policy)
        for policy, pair in values.items()
        for seed, value in enumerate(pair)
    ]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    (found,) = compare(model, Evidence((Family.COPY,)))
    assert found.effects["coarse"] is Effect.LESS
    assert found.effects["full"] is Effect.AS_MUCH


def test_what_is_acted_on_before_harmless_traffic_is_told_apart(model: Model) -> None:
    told = {each.policy: each for each in told_apart(model)}
    assert told["coarse"].acted_on == 0
    assert told["metered"].acted_on == told["metered"].attacks
