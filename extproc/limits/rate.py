"""A rate: so much at once, refilled evenly over a window.

Generic cell rate algorithm (ITU-T I.371, Annex A): the state is the theoretical arrival time, at
which the counter is empty again.  There is no edge of a window at which twice the rate slips
through.
"""

from msgspec import Struct

from extproc.limits.rule import NEVER


class Rate(Struct, frozen=True):
    """At most ``max`` at once, and over any time t no more than ``max * (1 + t / window)``, rounded
    up.

    What a charge costs is rounded up to whole microseconds.  Where there are fewer than those to
    lose (``max ** 2 <= window``: a thousand in a second, 60,000 in an hour) all of ``max`` fit all
    the same, singly too; a faster rate lets in less than it says, by a share of at most
    ``max / window`` for charges of one.
    """

    name: str
    max: int
    window: int
    """Microseconds."""

    @property
    def capacity(self) -> int:
        return self.window + (-self.window % self.max if self.max * self.max <= self.window else 0)

    def cost(self, amount: int) -> int:
        """Microseconds that it takes to refill, rounded up."""
        return -(-amount * self.window // self.max)

    def amount(self, cost: int) -> int:
        return cost * self.max // self.window

    def level(self, state: int | None, now: int) -> int:
        return state - now if state is not None and state > now else 0

    def add(self, state: int | None, now: int, cost: int) -> int:
        return (state if state is not None and state > now else now) + cost

    def mark(self, state: int) -> int:
        return state

    def back(self, state: int, now: int, cost: int, mark: int) -> int:
        """What has been refilled since it was taken is not given back once more."""
        return state - min(cost, mark - now) if mark > now else state

    def grant(self, state: int | None, now: int, cost: int | None) -> int | None:
        """No more than was taken: what is unused is not saved."""
        if state is None:
            return None
        return now if cost is None else max(now, state - cost)

    def wait(self, state: int | None, now: int, cost: int) -> int:
        if cost > self.capacity:
            return NEVER - now
        return max(0, self.level(state, now) + cost - self.capacity)

    def idle(self, state: int) -> int:
        return state
