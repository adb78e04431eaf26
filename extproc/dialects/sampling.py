"""Rules for the request fields that steer how a token is drawn.

Rule: a tenant that may not have the same answer drawn twice gets no seed, no temperature near 0,
and none of the cuts that leave one token to draw from.
"""

from typing import Final

from extproc.dialects.gate import Repeatable, Within

COLDEST: Final = 0.3
"""The least temperature of tenants that may not have the same answer drawn twice."""

SEED: Final = Repeatable()
TEMPERATURE: Final = Repeatable(otherwise=Within(least=COLDEST))
CUT: Final = Repeatable()
"""``top_k``, ``top_p`` and the like: small enough, they are a temperature of 0."""
