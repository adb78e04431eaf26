from typing import Any

import pytest
from msgspec.structs import replace

from extproc.redteam.goals import Goal, Goals, Relative
from extproc.redteam.measures.reach import Bound
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.header import Run
from extproc.redteam.report.model import gather
from extproc.redteam.report.verdicts import Judged, Verdict, Verdicts, decide
from extproc.redteam.row import Row
from tests.redteam.report.made_up import ATTACKS, RUN, row

GOAL = Goal(
    id="a", claim="b", attack="knockoff", victim="digits", policy="none", measure="agreement.task"
)


def judged(goal: Goal, rows: list[Row], run: Run = RUN) -> Judged:
    found = decide(Goals(goals=(goal,)), gather(rows, run, Catalogue.of(ATTACKS.values())))
    return found.judged[0]


def seeds(*values: float, **others: Any) -> list[Row]:
    return [row(value=value, seed=at, **others) for at, value in enumerate(values)]


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        # Mean 0.8 of 0.79, 0.8, 0.81: the interval is 0.8 -+ 0.0248.
        ({"at_most": 0.83}, Verdict.HELD),
        ({"at_most": 0.82}, Verdict.UNDECIDED),
        ({"at_most": 0.77}, Verdict.NOT_HELD),
        ({"at_least": 0.77}, Verdict.HELD),
        ({"at_least": 0.78}, Verdict.UNDECIDED),
        ({"at_least": 0.83}, Verdict.NOT_HELD),
    ],
)
def test_a_goal_is_held_where_the_whole_interval_is(
    limits: dict[str, float], verdict: Verdict
) -> None:
    found = judged(replace(GOAL, **limits), seeds(0.79, 0.8, 0.81))
    assert found.verdict is verdict
    assert Verdicts((found,), ()).passed is (verdict is Verdict.HELD)


def test_one_seed_decides_nothing() -> None:
    assert judged(replace(GOAL, at_most=0.9), seeds(0.1)).verdict is Verdict.UNDECIDED


def test_a_margin_is_on_the_right_side_of_the_bound() -> None:
    assert judged(replace(GOAL, at_most=0.9), seeds(0.8, 0.8)).margin == pytest.approx(0.1)
    assert judged(replace(GOAL, at_least=0.9), seeds(0.8, 0.8)).margin == pytest.approx(-0.1)


def test_what_never_got_there_is_a_bound_and_no_number() -> None:
    rows = seeds(0.95, 0.95, budget=100) + seeds(0.5, 0.5, policy="coarse", budget=1_000)
    goal = replace(GOAL, policy="coarse", relative=Relative(level=0.9, times_at_least=5))
    found = judged(goal, rows)
    assert (found.verdict, found.bound) == (Verdict.HELD, Bound.AT_LEAST)
    more = replace(goal, relative=Relative(level=0.9, times_at_least=50))
    assert judged(more, rows).verdict is Verdict.UNDECIDED


def test_not_measured_counts_unless_the_run_was_never_meant_to() -> None:
    goal = replace(GOAL, at_most=0.9)
    assert not judged(goal, []).passed
    assert not judged(goal, [], replace(RUN, whole=False)).passed  # planned, and broken
    assert judged(goal, [], replace(RUN, whole=False, plan=())).passed


def test_any_attack_means_the_one_that_gets_most() -> None:
    rows = seeds(0.5, 0.5) + seeds(0.9, 0.9, attack="copycat")
    found = judged(replace(GOAL, attack="", at_most=0.8), rows)
    assert found.cell is not None
    assert (found.cell.key.attack, found.verdict) == ("copycat", Verdict.NOT_HELD)


def test_of_any_attack_a_cheaper_and_better_copy_counts_and_a_dearer_one_does_not() -> None:
    rows = [
        *seeds(0.9, 0.9, attack="copycat", budget=100),
        *seeds(0.7, 0.7, budget=300),
        *seeds(0.95, 0.95, attack="copycat", budget=1_000),
    ]
    any_attack = replace(GOAL, attack="", budget=300, at_most=0.8)
    found = judged(any_attack, rows)
    assert found.cell is not None
    assert (found.cell.key.attack, found.cell.key.budget) == ("copycat", 100)
    assert judged(replace(any_attack, attack="knockoff"), rows).verdict is Verdict.HELD
    assert judged(replace(any_attack, budget=500), rows).verdict is Verdict.NOT_MEASURED


def test_what_is_no_attack_is_meant_only_where_it_is_named() -> None:
    rows = seeds(0.9, 0.9, attack="utility", measure="accuracy")
    goal = replace(GOAL, attack="utility", measure="accuracy", at_least=0.8)
    assert judged(goal, rows).verdict is Verdict.HELD
    assert judged(replace(goal, attack=""), rows).verdict is Verdict.NOT_MEASURED


@pytest.mark.parametrize(
    ("wanted", "verdict", "margin"),
    [
        (Relative(times_at_least=1.2), Verdict.HELD, 0.3),
        (Relative(times_at_least=2), Verdict.NOT_HELD, -0.5),
        (Relative(times_at_most=1.2), Verdict.NOT_HELD, -0.3),
        (Relative(times_at_most=2), Verdict.HELD, 0.5),
    ],
)
def test_a_measure_is_compared_seed_by_seed_with_that_of_another_policy(
    wanted: Relative, verdict: Verdict, margin: float
) -> None:
    rows = [
        *(row(value=value, seed=at, policy="coarse") for at, value in enumerate((0.6, 0.3, 0.9))),
        *(row(value=value, seed=at) for at, value in enumerate((0.2, 0.6, 0.1), start=1)),
    ]
    found = judged(replace(GOAL, policy="coarse", relative=wanted), rows)
    assert found.measured is not None
    assert found.measured.count == 2, "seeds 1 and 2 alone were measured under both"
    assert found.verdict is verdict
    assert found.margin == pytest.approx(margin)


def test_nothing_is_so_many_times_as_much_as_nothing() -> None:
    rows = seeds(0.5, 0.5, policy="coarse") + seeds(0.0, 0.5)
    goal = replace(GOAL, policy="coarse", relative=Relative(times_at_most=9))
    assert judged(goal, rows).verdict is Verdict.NOT_MEASURED


def test_one_goal_that_is_not_held_fails_the_run() -> None:
    held, not_held = (judged(replace(GOAL, at_most=most), seeds(0.5, 0.5)) for most in (0.9, 0.1))
    assert Verdicts((held, held), ()).passed
    assert not Verdicts((held, not_held), ()).passed
