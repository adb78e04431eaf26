from collections.abc import Sequence
from dataclasses import replace

from extproc.redteam.attack import Family
from extproc.redteam.owner.found import CLEAN, MEASURES, STOLEN
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.whose import whose
from extproc.redteam.row import Row
from tests.redteam.report import made_up

ATTACK = replace(
    made_up.ATTACKS["utility"], name="laundering", family=Family.OWNERSHIP, measures=MEASURES
)


def rows(strategy: str, seed: int, **values: float) -> list[Row]:
    """``values`` by the ends of their measures' names."""
    place = {"attack": "laundering", "policy": "coarse", "seed": seed, "strategy": strategy}
    names = {"worth": "agreement.task"}
    return [
        made_up.row(names.get(name, f"marks.{name}"), value, budget=9, **place)
        for name, value in values.items()
    ]


def model(some: Sequence[Row]) -> Model:
    return gather(some, made_up.RUN, Catalogue.of([ATTACK]))


ROWS = [
    *rows("forest, pruned, 30%", 1, bits=-70, found=1, others=-2, accused=0, worth=0.8),
    *rows("forest, pruned, 30%", 2, bits=-10, found=0, others=-1, accused=0, worth=0.8),
    *rows("forest, rounded", 1, bits=-90, found=1, others=-2, accused=0, worth=0.9),
    *rows(f"forest, {STOLEN}", 1, bits=-80, found=1, others=-3, accused=0, worth=0.9),
    *rows(f"forest, {CLEAN}", 1, bits=0, found=0, others=-40, accused=1, worth=0.9),
]


def test_copies_come_as_they_were_stolen_then_as_they_are_told_and_the_unmarked_last() -> None:
    found = whose(model(ROWS))
    assert [(each.surrogate, each.way) for each in found] == [
        ("forest", STOLEN),
        ("forest", "rounded"),
        ("forest", "pruned, 30%"),
        ("forest", CLEAN),
    ]
    assert [each.marked for each in found] == [True, True, True, False]


def test_seeds_are_counted_and_the_worst_of_them_told_of_others() -> None:
    *_, pruned, clean = whose(model(ROWS))
    assert (pruned.named, pruned.others, pruned.accused) == (1, -2, 0)
    assert pruned.bits.interval.value == -40
    assert pruned.worth is not None
    assert pruned.worth.interval.value == 0.8
    assert (clean.named, clean.others, clean.accused) == (0, -40, 1)


def test_of_any_attack_the_largest_budget_counts_and_nobody_else_may_have_asked() -> None:
    small = made_up.row("marks.bits", -3.0, attack="knockoff", policy="coarse", budget=10)
    large = made_up.row("marks.bits", -9.0, attack="knockoff", policy="coarse", budget=20)
    [found] = whose(model([small, large]))
    assert (found.surrogate, found.way, found.key.budget) == ("knockoff", STOLEN, 20)
    assert (found.others, found.accused, found.worth) == (0.0, 0, None)
    assert whose(model([])) == []
