"""Guesses who was trained on, as good as one learns to make them of records that one knows about.

Rule: what is guessed by (which way, and how sure one must be) is chosen on one half of the records
and counted on the other, so that the count is that of an attacker who chose nothing by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Bools, Floats
from extproc.redteam.measures.privacy_bound import of_guesses

SHARES: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the records, on each side about which one guesses at all."""
_SIDES: Final = ((True, True), (True, False), (False, True))
"""Whether one says of some that they were trained on, and of some that they were not."""


@dataclass(frozen=True, slots=True)
class Guesses:
    """How many were ventured about so many records, and how many of them were right."""

    right: int
    made: int
    records: int
    way: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """Who is suspected at least so much was trained on, and who is at most so much was not."""

    way: str
    member: float
    other: float

    def counted(self, suspicion: Floats, member: Bools) -> tuple[int, int]:
        """Right guesses, and all that were made."""
        yes = suspicion >= self.member
        no = (suspicion <= self.other) & ~yes
        return int((yes & member).sum() + (no & ~member).sum()), int(yes.sum() + no.sum())


def guesses(suspicions: Mapping[str, Floats], member: Bools, rng: np.random.Generator) -> Guesses:
    """``suspicions`` [N] by the name of the way: higher of who looks like a ``member`` [N]."""
    order = rng.permutation(len(member))
    known, tried = np.array_split(order, 2)
    best, worth = _Rule("", np.inf, -np.inf), -1.0
    for way, suspicion in suspicions.items():
        for rule in _rules(way, suspicion[known]):
            right, made = rule.counted(suspicion[known], member[known])
            proven = of_guesses(right, made, len(known), 0.0)
            if proven > worth:
                best, worth = rule, proven
    right, made = best.counted(suspicions[best.way][tried], member[tried])
    return Guesses(right, made, len(tried), best.way)


def _rules(way: str, suspicion: Floats) -> Iterator[_Rule]:
    for share in SHARES:
        low, high = np.quantile(suspicion, [share, 1 - share])
        for says_yes, says_no in _SIDES:
            yield _Rule(way, high if says_yes else np.inf, low if says_no else -np.inf)
