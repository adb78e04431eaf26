"""What attacks and measures are about, by name.

Rule: rows of an attack or a measure that is not known here are reported all the same; what is not
known of them is that a high value is bad, which is assumed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from extproc.redteam import judge, vector_judge
from extproc.redteam.attack import Attack, Family, Measure, Needs
from extproc.redteam.preflight import MEASURES as LOOKED
from extproc.redteam.preflight import NAME as PREFLIGHT

TREATMENT: Final = (
    Measure("refused.share", "share of what was asked that was refused", worse="low"),
    Measure(
        "served_before_refusal",
        "inputs answered before the first was refused, in the order in which they were asked",
        "inputs",
    ),
    Measure("served_before_change", "inputs answered before answers began to tell less", "inputs"),
)
"""Of every trial."""
LEARNING: Final = (
    "agreement.task",
    "agreement.uniform",
    "agreement.boundary",
    "cosine",
    "recall_at_10",
)
"""Measures of copies that get better with queries, and are compared by what it takes."""
TITLES: Final = {
    "agreement.task": "agreement on the task's inputs",
    "agreement.uniform": "agreement on uniform inputs",
    "agreement.boundary": "agreement near boundaries",
    "cosine": "cosine of vectors",
    "recall_at_10": "nearest texts kept",
}
"""Short enough for a plot."""
ORDER: Final[tuple[str, ...]] = (
    "none",
    "full",
    "standard",
    "coarse",
    "metered",
    "shared",
    "sealed",
    "rotated",
    "noisy",
    "watched",
    "watched-texts",
    "private",
    "marked",
)
"""Of the shipped policies, as they are read most easily."""

_NO_ATTACK: Final = (Family.CONTROL, Family.DETECTION, Family.OWNERSHIP)


@dataclass(frozen=True, slots=True)
class Catalogue:
    attacks: Mapping[str, Attack] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)

    @classmethod
    def of(cls, attacks: Iterable[Attack]) -> Self:
        known = {attack.name: attack for attack in attacks}
        found = [*judge.MEASURES, *vector_judge.MEASURES, *TREATMENT, *LOOKED]
        found += [measure for attack in known.values() for measure in attack.measures]
        return cls(known, {measure.name: measure for measure in reversed(found)})

    def measure(self, name: str, attack: str = "") -> Measure:
        """As this attack means it: what is a success of a copy can be of use to those who mean
        well, under the same name.
        """
        if attack in self.attacks:
            for own in self.attacks[attack].measures:
                if own.name == name:
                    return own
        return self.measures.get(name) or Measure(name, name.replace("_", " ").replace(".", ": "))

    def low_is_worse(self, name: str, attack: str = "") -> bool:
        return self.measure(name, attack).worse == "low"

    def title(self, name: str) -> str:
        """A few words, or the name where there are none."""
        return TITLES.get(name, name)

    def family(self, attack: str) -> Family | None:
        return self.attacks[attack].family if attack in self.attacks else None

    def is_attack(self, name: str) -> bool:
        """Whether it is one: controls ask as those do who mean well, the preflight looks,
        of detection it counts how soon it acts, not what it leaves, and of marks whose a copy is.
        """
        return name != PREFLIGHT and self.family(name) not in _NO_ATTACK

    def data(self, attack: str) -> str:
        """What its attacker has of the victim's kind of data."""
        needs = self.attacks[attack].needs if attack in self.attacks else ()
        if Needs.TASK_DATA in needs or Needs.MEMBERS in needs:
            return "inputs like the model's own"
        if Needs.OTHER_DATA in needs:
            return "natural inputs of another kind"
        return "no data"


def words(attack: str) -> str:
    """Its name as it is read, and not as it is typed."""
    return attack.replace("-", " ")
