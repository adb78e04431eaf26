"""Which goals this run holds.

Rule: not measured is not held, unless the run was never meant to measure it: a quick run is not
judged by the attacks and budgets that it leaves out.
"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from extproc.redteam.goals import Goal, Goals, NotStopped, Place, Relative
from extproc.redteam.measures.interval import Interval, of_ratio
from extproc.redteam.measures.reach import Bound, Reach, multiplier, reach
from extproc.redteam.report.frontier import Lead, curves, frontier
from extproc.redteam.report.model import Cell, Key, Model
from extproc.redteam.report.promises import Promised, promised


class Verdict(StrEnum):
    HELD = "held"
    NOT_HELD = "not held"
    UNDECIDED = "undecided"
    """The interval crosses the bound; counts as not held."""
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal, and what became of it; ``measured`` is in the unit of its bound."""

    goal: Goal
    verdict: Verdict
    counts: bool
    """Whether the run is judged by it."""
    measured: Interval | None = None
    bound: Bound = Bound.EXACT
    """At least: the value was not reached within the budget."""
    cell: Cell | None = None

    @property
    def margin(self) -> float | None:
        """How far the mean is on the right side; below zero, on the wrong one."""
        if self.measured is None or self.bound is Bound.OPEN:
            return None
        limit, low_is_good = _limit(self.goal)
        value = self.measured.value
        return limit - value if low_is_good else value - limit

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.HELD or not self.counts


@dataclass(frozen=True, slots=True)
class Shown:
    """What is not stopped, and the number that shows it, where there is one."""

    entry: NotStopped
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class Verdicts:
    judged: tuple[Judged, ...]
    shown: tuple[Shown, ...]
    promises: tuple[Promised, ...] = ()
    """What training is declared to promise, beside what was proven."""

    @property
    def passed(self) -> bool:
        """Whether every goal that the run is judged by is held, and no promise broken."""
        return all(each.passed for each in self.judged) and not self.broken

    @property
    def broken(self) -> list[Promised]:
        return [each for each in self.promises if each.broken]

    def cited(self) -> set[Key]:
        """Cells that goals speak of, which the report therefore has a place for."""
        cells = [each.cell for each in self.judged] + [each.cell for each in self.shown]
        return {cell.key for cell in cells if cell is not None}

    def count(self, verdict: Verdict) -> int:
        return sum(each.verdict is verdict for each in self.judged)


def decide(goals: Goals, model: Model) -> Verdicts:
    return Verdicts(
        tuple(_judged(goal, model) for goal in goals.goals),
        tuple(Shown(entry, place(entry, model)) for entry in goals.not_stopped),
        tuple(promised(model)),
    )


def place(where: Place, model: Model) -> Cell | None:
    """The cell that is meant; of several attacks, the best copy that costs no more."""
    cells = _cells(where, model)
    if not cells:
        return None
    budget = max(cell.key.budget for cell in cells) if where.budget is None else where.budget
    if all(cell.key.budget != budget for cell in cells):
        return None
    best: Cell | None = None
    for cell in cells:
        if cell.key.budget > budget or (where.attack and cell.key.budget != budget):
            continue
        if best is None or model.better(where.measure, cell.interval.value, best.interval.value):
            best = cell
    return best


def _cells(where: Place, model: Model) -> list[Cell]:
    """Of every budget.  Controls are meant only where they are named."""
    if where.strategy is None:
        candidates = list(model.cells.values())
    else:
        candidates = [
            cell for (_, name), cell in model.strategies.items() if name == where.strategy
        ]
    wanted = (where.victim, where.policy, where.measure)
    return [
        cell
        for cell in candidates
        if (cell.key.victim, cell.key.policy, cell.key.measure) == wanted
        and (
            cell.key.attack == where.attack
            or (not where.attack and model.catalogue.is_attack(cell.key.attack))
        )
    ]


def _judged(goal: Goal, model: Model) -> Judged:
    if goal.relative is None:
        cell = place(goal, model)
        return _missing(goal, model) if cell is None else _measured(goal, cell.interval, cell)
    if goal.relative.level is None:
        return _compared(goal, goal.relative, model)
    return _reached(goal, goal.relative, goal.relative.level, model)


def _compared(goal: Goal, wanted: Relative, model: Model) -> Judged:
    """The measure itself under two policies, seed by seed."""
    here, there = place(goal, model), place(replace(goal, policy=wanted.to), model)
    if here is None or there is None:
        return _missing(goal, model)
    seeds = sorted(here.rows.keys() & there.rows.keys())
    over = [here.rows[seed].value for seed in seeds]
    under = [there.rows[seed].value for seed in seeds]
    if not seeds or min(*over, *under) <= 0:
        return _missing(goal, model)
    return _measured(goal, of_ratio(over, under), here)


def _reached(goal: Goal, wanted: Relative, level: float, model: Model) -> Judged:
    """The queries until a level under two policies, seed by seed."""
    here = _reaches(goal, level, model)
    there = _reaches(replace(goal, policy=wanted.to), level, model)
    seeds = sorted(here.keys() & there.keys())
    if not seeds:
        return _missing(goal, model)
    found = multiplier([here[seed] for seed in seeds], [there[seed] for seed in seeds])
    cell = place(replace(goal, budget=None), model)
    return _measured(goal, found.times, cell, found.bound)


def _reaches(where: Place, level: float, model: Model) -> dict[int, Reach]:
    if not where.attack:
        leads = frontier(model, where.victim, where.policy, where.measure)
        return {seed: reach(curve, level) for seed, curve in curves(leads).items()}
    cells = sorted(_cells(where, model), key=lambda cell: cell.key.budget)
    leads = [Lead(cell.key.budget, cell) for cell in cells if cell.key.budget]
    return {seed: reach(curve, level) for seed, curve in curves(leads).items()}


def _measured(
    goal: Goal, interval: Interval, cell: Cell | None, bound: Bound = Bound.EXACT
) -> Judged:
    limit, low_is_good = _limit(goal)
    if interval.high <= limit if low_is_good else interval.low >= limit:
        verdict = Verdict.HELD
    elif interval.low > limit if low_is_good else interval.high < limit:
        verdict = Verdict.NOT_HELD
    else:
        verdict = Verdict.UNDECIDED
    return Judged(goal, verdict, counts=True, measured=interval, bound=bound, cell=cell)


def _missing(goal: Goal, model: Model) -> Judged:
    policies = {goal.policy, *([goal.relative.to] if goal.relative else [])}
    meant = all(
        model.run.planned(goal.attack, goal.victim, policy, goal.budget or 0) for policy in policies
    )
    return Judged(goal, Verdict.NOT_MEASURED, counts=meant or model.run.whole)


def _limit(goal: Goal) -> tuple[float, bool]:
    """The bound, and whether low values are on its right side."""
    wanted = goal.relative or Relative()
    for limit, low_is_good in (
        (goal.at_most, True),
        (goal.at_least, False),
        (wanted.times_at_most, True),
        (wanted.times_at_least, False),
    ):
        if limit is not None:
            return limit, low_is_good
    raise ValueError(f"goal {goal.id!r} has no bound")
