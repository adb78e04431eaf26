"""A link: the same block of addresses.

Rule: it weighs as much as it is rare (inverse document frequency: Sparck Jones, "A statistical
interpretation of term specificity", Journal of Documentation, 1972), and never enough to link two
subjects by itself: behind one address may be a whole company.
"""

from typing import Final

from extproc.cohorts.coincidence import Nats

MOST: Final = 2.5
"""Nats."""


def evidence(rarest: Nats) -> Nats:
    """Of the rarest block that both came from: minus the logarithm of the share of subjects that
    did, 0 where there is none; shape (pairs,).
    """
    return rarest.clip(0.0, MOST)
