"""What an attacker still gets: the best of all attacks, whatever he has.

Rule: at each budget the attack that leads is the one that is best on average over the seeds, among
all copies that cost no more.  The line ends where its leader was not run further: what it would
have got after that nobody has seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extproc.redteam.measures.reach import Checkpoint
from extproc.redteam.report.model import Cell, Model


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads at a budget, and with what copy; ``cell`` may be of a smaller budget."""

    budget: int
    cell: Cell


def frontier(model: Model, victim: str, policy: str, measure: str) -> list[Lead]:
    """Ascending in budget; empty where no attack has copied this victim."""
    return _led(model, measure, model.find(victim=victim, policy=policy, measure=measure))


def frontier_with(model: Model, victim: str, policy: str, measure: str, data: str) -> list[Lead]:
    """The same, of those attackers alone who have no more data than this."""
    found = model.find(victim=victim, policy=policy, measure=measure)
    return _led(
        model,
        measure,
        (cell for cell in found if model.catalogue.data(cell.key.attack) == data),
    )


def curves(leads: Iterable[Lead]) -> dict[int, list[Checkpoint]]:
    """Of each seed, as `reach` takes them."""
    by_seed: dict[int, list[Checkpoint]] = {}
    for lead in leads:
        for seed, row in lead.cell.rows.items():
            by_seed.setdefault(seed, []).append(
                Checkpoint(lead.budget, row.value, row.queries, row.keys, row.seconds)
            )
    return by_seed


def _led(model: Model, measure: str, cells: Iterable[Cell]) -> list[Lead]:
    leads: list[Lead] = []
    best: Cell | None = None
    last: dict[str, int] = {}
    for cell in cells:
        if not model.catalogue.is_attack(cell.key.attack) or cell.key.budget < 1:
            continue
        last[cell.key.attack] = cell.key.budget
        if best is None or model.better(measure, cell.interval.value, best.interval.value):
            best = cell
        if leads and leads[-1].budget == cell.key.budget:
            leads.pop()
        leads.append(Lead(cell.key.budget, best))
    return _ended(leads, last)


def _ended(leads: list[Lead], last: Mapping[str, int]) -> list[Lead]:
    while leads and leads[-1].budget > last[leads[-1].cell.key.attack]:
        leads.pop()
    return leads
