"""A link: the same inputs, asked under several names.

Rule: an input that many ask is expected to be shared (coincidence.py), and those who are interested
in the same things share more than others: so many times what chance gives is no evidence.  Source:
Broder, "On the resemblance and containment of documents", SEQUENCES 1997, for samples of digests
that tell how much two sets share.
"""

from typing import Final

from extproc.cohorts.coincidence import Nats, excess

MOST: Final = 6.0
"""Nats."""
ALIKE: Final = 5.0
"""Benign callers of the same interests share so many times what others do."""


def evidence(common: Nats, expected: Nats) -> Nats:
    """Of how many inputs both asked, and of how many chance would have given; shape (pairs,)."""
    return excess(common, ALIKE * expected).clip(0.0, MOST)
