"""Copies whose owner looked for marks, and what he found.

Rule: each copy stands there, whether it is told or not: what removes marks is read off beside what
does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from extproc.redteam.owner.found import ACCUSED, BITS, CLEAN, NAMED, OTHERS, STOLEN, parted
from extproc.redteam.report.model import Cell, Key, Model

WORTH: Final = ("agreement.task", "cosine")
"""What a copy is worth: of a classifier; of an embedding model."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Of one copy, laundered in one way, over all seeds."""

    key: Key
    surrogate: str
    """The attack's name, where it says nothing else."""
    way: str
    bits: Cell
    named: int
    """Seeds under which its thief was named."""
    others: float
    """The least bits of anybody else, under any seed; 0 where there was nobody else."""
    accused: int
    """Others who were named, under all seeds together."""
    worth: Cell | None

    @property
    def marked(self) -> bool:
        """Whether it was taught by marked answers."""
        return self.way != CLEAN


def whose(model: Model) -> list[Whose]:
    """By victim, policy and copy; of a copy as it was stolen, then what is told best first, and at
    last what was never marked.
    """
    found = sorted(_every(model), key=lambda each: (each.key.victim, each.key.policy, _rank(each)))
    last: dict[tuple[str, str, str], int] = {}
    for each in found:
        place = each.key.victim, each.key.policy, each.key.attack
        last[place] = max(last.get(place, 0), each.key.budget)
    return [
        each
        for each in found
        if each.key.budget == last[each.key.victim, each.key.policy, each.key.attack]
    ]


def _every(model: Model) -> Iterator[Whose]:
    for (key, strategy), cell in model.strategies.items():
        if key.measure != BITS:
            continue
        surrogate, way = parted(strategy)

        def other(measure: str, key: Key = key, strategy: str = strategy) -> Cell | None:
            return model.strategies.get((key._replace(measure=measure), strategy))

        others, worths = other(OTHERS), [other(each) for each in WORTH]
        yield Whose(
            key,
            surrogate or key.attack,
            way,
            cell,
            _sum(other(NAMED)),
            min((row.value for row in others.rows.values()), default=0.0) if others else 0.0,
            _sum(other(ACCUSED)),
            next((worth for worth in worths if worth is not None), None),
        )


def _sum(cell: Cell | None) -> int:
    return round(sum(row.value for row in cell.rows.values())) if cell is not None else 0


def _rank(each: Whose) -> tuple[str, bool, bool, float]:
    return each.surrogate, not each.marked, each.way != STOLEN, each.bits.interval.value
