"""Ours beside a number of others, over seeds.

Rule: of several attacks of ours the best counts, as it would for a thief, by its mean; whether it
is weaker is said by its 95 % interval over seeds, and a lower mean is never called as strong.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from extproc.redteam.attack import Attack, Copy
from extproc.redteam.measures.interval import Interval, of_mean
from tests.redteam.local import Task, copies

SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Best:
    """The attack of ours that did best, and its agreement."""

    name: str
    agreement: Interval


def best(measured: Mapping[str, Sequence[float]]) -> Best:
    """Of agreements by attack, one for each seed."""
    found = [Best(name, of_mean(values).within(0, 1)) for name, values in measured.items()]
    return max(found, key=lambda each: each.agreement.value)


def verdict(ours: Interval, theirs: float) -> str:
    """To the three decimals that numbers are printed with."""
    if round(ours.value, 3) >= theirs:
        return "at least as strong"
    return "weaker" if ours.high < theirs else "lower, within the interval"


def shown(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_budget(
    attack: Attack, task: Task, budgets: Sequence[int], mode: str
) -> dict[int, list[float]]:
    """Agreement with the victim at each budget, one for each seed."""
    found: dict[int, list[float]] = {budget: [] for budget in budgets}
    for seed in SEEDS:
        made = asyncio.run(copies(attack, task, budgets, mode=mode, seed=seed))
        for budget in budgets:
            found[budget].append(best_of(made, budget, task.agreement))
    return found


def best_of(made: Sequence[Copy], budget: int, worth: Callable[[Copy], float]) -> float:
    """Of the copies at a budget; 0 where there is none."""
    return max((worth(copy) for copy in made if copy.budget == budget), default=0.0)
