"""When and how large answers leave: the part of a policy that hides how they were made.

Rule: an answer leaves at a whole multiple of the grid after its request arrived, whatever it is:
the work is not slowed down by a delay on top, which averages away, but its end is rounded up
("deadline scheduling"; Askarov, Zhang & Myers, "Predictive black-box mitigation", 2010).  Time is
a parameter here as everywhere in the core.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from extproc.padding import Buckets

SHORTEST: Final = 0.01
"""Seconds of the finest grid and tick: timers are no finer than a thousandth."""
LONGEST: Final = 5.0
"""Seconds of the coarsest: half of what Envoy waits for ext_authz, so that no wait of ours is the
one that runs out."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The instants at whole multiples of ``step`` seconds after a beginning; the first is one."""

    step: float

    def after(self, beginning: float, now: float) -> float:
        """The first of them that is not before now, on the clock of both."""
        count = max(1, ceil((now - beginning) / self.step))
        instant = beginning + count * self.step
        # The division may have been rounded down to a whole number.
        return instant if instant >= now else instant + self.step


@dataclass(frozen=True, slots=True)
class Rate:
    """Streams leave in pieces of one size, one at every tick, filled up where nothing is ready."""

    tick: float
    """Seconds."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """None leaves a thing as it is."""

    grid: Grid | None = None
    buckets: Buckets | None = None
    rate: Rate | None = None

    @property
    def waits(self) -> bool:
        """Whether answers may have to wait before they leave."""
        return self.grid is not None or self.rate is not None


UNSHAPED: Final = Shaping()
