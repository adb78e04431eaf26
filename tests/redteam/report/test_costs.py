from typing import Any

from extproc.redteam.measures.reach import Bound
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.costs import Cost, cost, times
from extproc.redteam.report.model import gather
from extproc.redteam.row import Row
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


def _cost(rows: list[Row], policy: str = "none") -> Cost:
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    found = cost(model, "digits", policy, "agreement.task", 0.9)
    assert found is not None
    return found


def _row(seed: int, value: float, budget: int, **others: Any) -> Row:
    return row(seed=seed, value=value, budget=budget, **others)


def test_one_seed_that_never_got_there_outweighs_one_that_was_there_at_once() -> None:
    rows = [_row(1, 0.95, 100), _row(2, 0.5, 100)]
    assert _cost(rows).bound is Bound.AT_LEAST
    assert _cost(rows[:1]).bound is Bound.AT_MOST
    assert _cost(rows).reached.value == 0.5


def test_queries_are_their_geometric_mean_and_keys_the_most_that_a_seed_used() -> None:
    rows = [
        *(_row(1, 0.95, 100, keys=1), _row(1, 0.95, 10_000, keys=1)),
        *(_row(2, 0.1, 100, keys=20), _row(2, 0.1, 10_000, keys=20)),
    ]
    found = _cost(rows)
    assert (round(found.queries), found.keys) == (1_000, 20)


def test_who_is_named_is_who_leads_at_the_end() -> None:
    rows = [_row(1, 0.8, 100, attack="copycat"), _row(1, 0.95, 1_000)]
    assert _cost(rows).attack == "knockoff"


def test_seeds_are_compared_that_both_have_and_none_are_no_comparison() -> None:
    none = _cost([_row(1, 0.95, 100), _row(2, 0.95, 100)])
    rows = [_row(seed, 0.95, 400, policy="coarse") for seed in (2, 3)]
    coarse = _cost(rows, "coarse")
    found = times(coarse, none)
    assert found is not None
    assert (round(found.times.value, 6), found.times.count) == (4.0, 1)
    other = _cost([_row(7, 0.95, 100, policy="coarse")], "coarse")
    assert times(other, none) is None
