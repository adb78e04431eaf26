"""What all that two subjects have in common comes to.

Rule: logarithms of likelihood ratios add up, against the odds that two subjects are one operator
(Fellegi and Sunter, "A Theory for Record Linkage", Journal of the American Statistical Association,
1969).  No single kind reaches an even chance but many shared inputs that few ask.
"""

from typing import Final

import numpy as np

from extproc.cohorts.coincidence import Nats

AGAINST: Final = 5.0
"""Nats against two subjects being one operator, before anything is known of them."""
LINKED: Final = 0.5
"""The weight above which two subjects are in one cohort."""


def weight(odds: Nats) -> Nats:
    """From 0 to 1, of odds in nats: how likely two subjects are one operator."""
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))
