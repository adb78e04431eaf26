"""What a run measured, as a table on a terminal: the mean over the seeds, at the largest budget.

Where an attack tried several ways, each seed's highest value counts, which of a copy is the best.
"""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from rich.table import Table

from extproc.redteam.row import Row

_Place = tuple[str, str, str]


def summary(rows: Sequence[Row]) -> Table:
    """A line for each measure of each attack and victim, a column for each policy."""
    policies = list(dict.fromkeys(row.policy for row in rows))
    found: dict[_Place, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in _last(rows):
        seeds = found[row.attack, row.victim, row.measure][row.policy]
        seeds[row.seed] = max(seeds.get(row.seed, row.value), row.value)
    table = Table("attack", "victim", "measure", *policies)
    for (attack, victim, measure), values in found.items():
        means = [
            f"{fmean(values[each].values()):.3f}" if each in values else "" for each in policies
        ]
        table.add_row(attack, victim, measure, *means)
    return table


def _last(rows: Sequence[Row]) -> list[Row]:
    """Those of the largest budget that their measure has."""
    largest: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for row in rows:
        place = (row.attack, row.victim, row.measure, row.policy)
        largest[place] = max(largest[place], row.budget)
    return [r for r in rows if r.budget == largest[r.attack, r.victim, r.measure, r.policy]]
