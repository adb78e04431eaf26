"""What every request of a tenant takes, whatever else it counts against: nothing at all.

Rule: an operator stops a tenant by freezing its counters, which refuses whatever is taken of them;
so that every request takes something, of one that no limit counts as of any other.
"""

from typing import Final

from extproc.limits.charge import Charge
from extproc.limits.concurrency import Concurrency

_RULE: Final = Concurrency("present", 1)


def presence(tenant: str) -> Charge:
    return Charge(_RULE, tenant, "", 0, unit="concurrent")
