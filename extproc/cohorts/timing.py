"""A link: active in the same quarters of an hour.

Rule: the hours in which everybody works are expected to be shared (coincidence.py); and since
whoever is active stays so for a while, adjacent quarters count as one.  It never links two
subjects by itself.  Source: Cao, Yang, Yu and Palow, "Uncovering Large Groups of Active Malicious
Accounts in Online Social Networks", CCS 2014, for accounts that act at the same times.
"""

from typing import Final

from extproc.cohorts.coincidence import Nats, excess

MOST: Final = 2.0
"""Nats."""
RUN: Final = 4.0
"""So many quarters stand for one decision to work."""


def evidence(common: Nats, expected: Nats) -> Nats:
    """Of in how many both were active, and how many chance would have given; shape (pairs,)."""
    return excess(common / RUN, expected / RUN).clip(0.0, MOST)
