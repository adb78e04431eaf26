from math import nan

from msgspec.structs import replace

from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.model import gather, slug
from tests.redteam.report.made_up import ATTACKS, RUN, row


def test_the_strategy_that_is_best_on_average_counts_and_not_the_best_of_each_seed() -> None:
    rows = [
        row(value=0.9, seed=1, strategy="a"),
        row(value=0.5, seed=2, strategy="a"),
        row(value=0.6, seed=1, strategy="b"),
        row(value=0.7, seed=2, strategy="b"),
    ]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    (cell,) = model.cells.values()
    assert (cell.strategy, cell.interval.value) == ("a", 0.7)


def test_of_a_row_that_is_there_twice_the_last_counts_and_no_number_is_left_out() -> None:
    rows = [row(value=0.1), row(value=0.2), row(value=nan, seed=2)]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    (cell,) = model.cells.values()
    assert (cell.interval.value, model.no_numbers) == (0.2, 1)
    assert cell.key.anchor == "knockoff-digits-none-agreement.task-100"


def test_policies_that_the_run_does_not_name_come_last() -> None:
    rows = [row(policy=policy) for policy in ("zeta", "coarse", "none")]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    assert model.policies() == ["none", "coarse", "zeta"]


def test_an_anchor_is_never_empty() -> None:
    assert slug("<>") == "nameless"


def test_shipped_policies_stand_in_one_order_and_others_after_them() -> None:
    names = ("mine.yaml:a", "noisy", "none", "coarse", "unnamed", "full")
    rows = [row(policy=name) for name in names]
    run = replace(RUN, policies=names[:4])
    found = gather(rows, run, Catalogue()).policies()
    assert found == ["none", "full", "coarse", "noisy", "mine.yaml:a", "unnamed"]
