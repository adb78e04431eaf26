"""How many bytes of bodies this process keeps, over all exchanges: the bound that memory needs.

Every exchange has its own caps; two thousand of them at once would still be gigabytes.
"""


class Held:
    """A shared count with a cap.  Only the event loop touches it."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self.total = 0

    def change(self, before: int, after: int) -> bool:
        """Count one exchange's change; False where it grew and the total is above the cap."""
        self.total += after - before
        return after <= before or self.total <= self._cap
