"""A cohort: its members, and what they have done together.

Rules.  Counters are additive, so a cohort's profile is the sum of its members'.  Whether queries
are strange the sum tells as well as one caller's does, since benign ones take away from it.  What
is wrong with one caller and natural for many (that it covers all of the input space, asks much, at
all hours, for things that are alike) is judged of each member and multiplied: members that are
strangers to each other are independent, and the product of their e-values is one (Vovk and Wang,
"E-values: Calibration, combination and applications", Annals of Statistics, 2021).  Of each member
a part is bet on its being one of them, so that one who is not takes little away; and no more counts
than a bound, so that what one member has done alone does not make a cohort.  Both are taken after
the discounts of a calibration, since some detectors say more of benign callers than others.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from extproc.cohorts.knowledge import Knowledge
from extproc.detectors.detector import Counters

TOGETHER: Final = frozenset({"novelty"})
"""Detectors that the sum of counters is put to; all others judge each member."""
MOST: Final = 3.0
"""Nats of one member that count, by one of those."""
_BETS: Final = (0.1, 0.5, 0.9)
"""How much is bet on a member's being one of them."""


class Cohort(Struct, frozen=True):
    """Callers that are linked by evidence."""

    name: str
    """``cohort:`` and a digest of its member of the least rank."""
    members: tuple[str, ...]
    """In the order of their names."""
    odds: tuple[float, ...]
    """Nats for each member's strongest link, 0 for an even chance."""


def evidence(
    known: Knowledge, members: Sequence[Counters], each: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Of a cohort, by detector, in nats after discounts, from its members' counters, and what
    these tell of each before.
    """
    together = known.layout.evidence(np.sum(members, axis=0, dtype=np.float32))
    found = {}
    for name, nats in together.items():
        less = known.discounts.get(name, 0.0)
        alone = product(one[name] - less for one in each)
        found[name] = nats - less if name in TOGETHER else alone
    return found


def product(nats: Iterable[float]) -> float:
    """Of e-values in nats; one that says nothing (-inf) is left out, -inf where none does."""
    told = np.array([each for each in nats if each > -math.inf])
    if not told.size:
        return -math.inf
    values = np.exp(told.clip(max=MOST))
    grown = [float(np.log1p(bet * (values - 1.0)).sum()) for bet in _BETS]
    return float(np.logaddexp.reduce(grown)) - math.log(len(_BETS))


def threshold(usual: float, cohorts: int) -> float:
    """Of so many cohorts, in nats, where ``usual`` is what a caller alone reaches once in 1000
    lives: there are so many more chances for a false alarm.
    """
    return usual + math.log(max(cohorts, 1))
