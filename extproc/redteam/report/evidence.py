"""Whether a policy takes something from an attack: a number under it beside the one without it.

Rule: less is what is less beyond doubt, the two intervals being apart; everything else is as much.
One seed alone tells neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from extproc.redteam.attack import Family
from extproc.redteam.report.chapters.attacks import TREATMENT
from extproc.redteam.report.chapters.noticed import CHANGE, REFUSAL, SHARE
from extproc.redteam.report.model import Cell, Key, Model

COPYING: Final = (Family.COPY, Family.VECTORS)


class Effect(StrEnum):
    LESS = "less"
    AS_MUCH = "as much"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of an attack, under each policy."""

    attack: str
    victim: str
    measure: str
    cells: dict[str, Cell] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which rows bear on a question.  Empty: any."""

    families: tuple[Family, ...] = ()
    words: tuple[str, ...] = ()
    """One of them is in the attack's name or the measure's."""
    measures: tuple[str, ...] = ()

    def bears(self, model: Model, key: Key) -> bool:
        if key.measure in TREATMENT:
            return False
        if self.families and model.catalogue.family(key.attack) not in self.families:
            return False
        if self.measures and key.measure not in self.measures:
            return False
        named = f"{key.attack} {key.measure}"
        return not self.words or any(word in named for word in self.words)


def compare(model: Model, evidence: Evidence) -> list[Compared]:
    """Each at the largest budget that the baseline has, or where it has none, any."""
    places = sorted(
        {(key.attack, key.victim, key.measure) for key in model.cells if evidence.bears(model, key)}
    )
    return [_compared(model, *place) for place in places]


def _compared(model: Model, attack: str, victim: str, measure: str) -> Compared:
    found = Compared(attack, victim, measure)
    baseline = _last(model, attack, victim, measure, model.run.baseline)
    for policy in model.policies():
        cell = _last(model, attack, victim, measure, policy, baseline)
        if cell is not None:
            found.cells[policy] = cell
            found.effects[policy] = _effect(model, cell, baseline)
    return found


def _last(
    model: Model,
    attack: str,
    victim: str,
    measure: str,
    policy: str,
    like: Cell | None = None,
) -> Cell | None:
    cells = list(model.find(attack=attack, victim=victim, policy=policy, measure=measure))
    if like is not None:
        cells = [cell for cell in cells if cell.key.budget <= like.key.budget]
    return cells[-1] if cells else None


def _effect(model: Model, cell: Cell, baseline: Cell | None) -> Effect:
    if baseline is None or min(cell.interval.count, baseline.interval.count) < 2:
        return Effect.UNKNOWN
    here, there = cell.interval, baseline.interval
    if model.catalogue.low_is_worse(cell.key.measure, cell.key.attack):
        less = here.low > there.high
    else:
        less = here.high < there.low
    return Effect.LESS if less else Effect.AS_MUCH


@dataclass(frozen=True, slots=True)
class Told:
    """Under a policy, copying attacks that were acted on sooner than harmless traffic of more
    inputs.
    """

    policy: str
    acted_on: int
    """Attacks that were refused or answered with less at all."""
    sooner: int
    attacks: int


def told_apart(model: Model) -> Iterator[Told]:
    """What looks at patterns, and not at counts alone, treats the two differently.

    Of attacks that copy: a request that is refused because it is malformed is no suspicion.
    """
    for policy in model.policies():
        cells = [cell for cell in model.cells.values() if cell.key.policy == policy]
        asked = [cell for cell in cells if cell.key.measure == SHARE]
        attacks = [cell for cell in asked if _copies(model, cell)]
        if not attacks or policy == model.run.baseline:
            continue
        acted = _acted(model, cells)
        harmless = _most(cell for cell in asked if _unharmed(model, cell))
        yield Told(policy, len(acted), sum(each < harmless for each in acted), len(attacks))


def _copies(model: Model, cell: Cell) -> bool:
    return model.catalogue.family(cell.key.attack) in COPYING


def _unharmed(model: Model, cell: Cell) -> bool:
    """A control of which nothing was refused, nor answered with less."""
    changed = cell.key._replace(measure=CHANGE) in model.cells
    return not (model.catalogue.is_attack(cell.key.attack) or cell.interval.value or changed)


def _most(cells: Iterator[Cell]) -> float:
    return max((cell.mean("queries") for cell in cells), default=0.0)


def _acted(model: Model, cells: Sequence[Cell]) -> list[float]:
    """How many inputs had been answered before each attack was first acted on."""
    first: dict[tuple[str, str], float] = {}
    for cell in cells:
        key = cell.key
        if key.measure in {REFUSAL, CHANGE} and _copies(model, cell):
            place = (key.attack, key.victim)
            first[place] = min(first.get(place, cell.interval.value), cell.interval.value)
    return list(first.values())
