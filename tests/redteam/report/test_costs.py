from extproc.redteam.measures.reach import Bound
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.costs import cost, times
from extproc.redteam.report.model import gather
from tests.redteam.report.made_up import ATTACKS, RUN, row


def test_a_cost_is_of_all_seeds_and_one_that_never_got_there_makes_it_a_bound() -> None:
    rows = [
        row(value=value, seed=seed, budget=budget, policy=policy, queries=budget)
        for policy, seed, budget, value in (
            ("none", 1, 100, 0.8),
            ("none", 1, 1_000, 1.0),
            ("none", 2, 100, 0.8),
            ("none", 2, 1_000, 1.0),
            ("coarse", 1, 1_000, 0.8),
            ("coarse", 1, 10_000, 1.0),
            ("coarse", 2, 1_000, 0.8),
            ("coarse", 2, 10_000, 0.85),
        )
    ]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    none = cost(model, "digits", "none", "agreement.task", 0.9)
    coarse = cost(model, "digits", "coarse", "agreement.task", 0.9)
    assert none is not None
    assert coarse is not None
    assert round(none.queries) == 316
    assert none.bound is Bound.EXACT
    assert (coarse.bound, coarse.reached.value) == (Bound.AT_LEAST, 0.5)
    found = times(coarse, none)
    assert found is not None
    assert found.bound is Bound.AT_LEAST
    assert cost(model, "digits", "full", "agreement.task", 0.9) is None
