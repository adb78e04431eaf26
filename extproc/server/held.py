"""How many bytes of bodies this process keeps, over all exchanges: the bound that memory needs.

Every exchange has its own caps; two thousand of them at once would still be gigabytes.
"""


class Held:
    """A shared count with a cap.  Only the event loop touches it."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.total = 0

    def share(self) -> "Share":
        """Of one exchange, which keeps nothing yet."""
        return Share(self)


class Share:
    """What one exchange keeps; it ends with ``keep(0)``."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._kept = 0

    def keep(self, size: int) -> bool:
        """Keep so much from now on; False where that is more, and the total is above the cap."""
        grown = size - self._kept
        self._kept = size
        self._held.total += grown
        return grown <= 0 or self._held.total <= self._held.cap
