"""Rows, gathered: one cell for each attack, victim, policy, measure and budget.

Rule: where an attack tries several strategies, the cell is of the one that is best for the attacker
on average over the seeds.  Taking the best of each seed would be an attacker who knows the judge.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from extproc.redteam.measures.interval import Interval, of_mean
from extproc.redteam.report.catalogue import ORDER, Catalogue
from extproc.redteam.report.header import Run
from extproc.redteam.row import Row


class Key(NamedTuple):
    attack: str
    victim: str
    policy: str
    measure: str
    budget: int

    @property
    def anchor(self) -> str:
        """Where a page has it."""
        return slug(f"{self.attack}-{self.victim}-{self.policy}-{self.measure}-{self.budget}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One number over the seeds."""

    key: Key
    strategy: str
    interval: Interval
    rows: Mapping[int, Row]
    """By seed."""

    def mean(self, field: str) -> float:
        """Of a row's field, such as ``queries``."""
        return sum(float(getattr(row, field)) for row in self.rows.values()) / len(self.rows)


@dataclass(frozen=True, slots=True)
class Model:
    run: Run
    catalogue: Catalogue
    cells: Mapping[Key, Cell]
    strategies: Mapping[tuple[Key, str], Cell]
    """Each by itself, for goals that name one."""
    no_numbers: int
    """Rows whose value is none; they are left out, and told."""
    by_question: Mapping[tuple[str, str, str], Sequence[Cell]]
    """By victim, policy and measure; ascending in budget."""
    by_attack: Mapping[str, Sequence[Cell]]

    def find(self, *, victim: str, policy: str, measure: str, attack: str = "") -> Iterator[Cell]:
        """Cells of any attack or of one, ascending in budget."""
        cells = self.by_question.get((victim, policy, measure), ())
        return (cell for cell in cells if attack in {"", cell.key.attack})

    def better(self, measure: str, one: float, other: float) -> bool:
        """Whether one value is better for the attacker than another."""
        return one < other if self.catalogue.low_is_worse(measure) else one > other

    def victims(self, measure: str = "") -> list[str]:
        """All, or those of which this was measured."""
        return sorted({key.victim for key in self.cells if measure in {"", key.measure}})

    def policies(self) -> list[str]:
        """Shipped ones as they are read most easily, then others in the order of the run; those
        that it does not name come last.
        """
        seen = {key.policy for key in self.cells}
        named = [policy for policy in ORDER if policy in seen]
        named += [policy for policy in self.run.policies if policy in seen - set(named)]
        return named + sorted(seen - set(named))


def gather(rows: Iterable[Row], run: Run, catalogue: Catalogue) -> Model:
    """Of a row that is there twice, as after a trial that was resumed, the last counts."""
    by_place: dict[tuple[Key, str], dict[int, Row]] = defaultdict(dict)
    no_numbers = 0
    for row in rows:
        if not isfinite(row.value):
            no_numbers += 1
            continue
        key = Key(row.attack, row.victim, row.policy, row.measure, row.budget)
        by_place[key, row.strategy][row.seed] = row
    strategies = {place: _cell(*place, by_seed) for place, by_seed in sorted(by_place.items())}
    cells = _best(strategies, catalogue)
    by_question: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    by_attack: dict[str, list[Cell]] = defaultdict(list)
    for cell in sorted(cells.values(), key=lambda cell: (cell.key.budget, cell.key)):
        by_question[cell.key.victim, cell.key.policy, cell.key.measure].append(cell)
        by_attack[cell.key.attack].append(cell)
    return Model(run, catalogue, cells, strategies, no_numbers, by_question, by_attack)


def _best(strategies: Mapping[tuple[Key, str], Cell], catalogue: Catalogue) -> dict[Key, Cell]:
    cells: dict[Key, Cell] = {}
    for (key, _), cell in strategies.items():
        sign = -1 if catalogue.low_is_worse(key.measure, key.attack) else 1
        held = cells.get(key)
        if held is None or sign * cell.interval.value > sign * held.interval.value:
            cells[key] = cell
    return cells


def _cell(key: Key, strategy: str, by_seed: dict[int, Row]) -> Cell:
    rows = dict(sorted(by_seed.items()))
    return Cell(key, strategy, of_mean([row.value for row in rows.values()]), rows)


def attack_anchor(attack: str) -> str:
    """Where a page has all of one attack."""
    return slug(f"attack-{attack}")


def slug(text: str) -> str:
    """An anchor: letters, digits, dots and dashes; what else there is becomes a dash."""
    kept = (each if each.isascii() and (each.isalnum() or each in "._") else "-" for each in text)
    return "".join(kept).strip("-").lower() or "nameless"
