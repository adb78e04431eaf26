"""What a store promises of answers that are told again; tests/stores/memos.py is the proof."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

MOST: Final = 1000
"""At most, in one question."""
KEPT: Final = 30 * 24 * 3600.0
"""Seconds for which an answer is remembered."""


class Memos(Protocol):
    """By keyed digests of 20 octets, of which nobody can tell what was asked, or by whom; those of
    one request begin with the same 4.

    What is lost is only paid for once more, so that a store may forget what it likes.
    """

    async def recall(self, keys: Sequence[bytes]) -> list[int | None]:
        """What was told before, in the order of the keys; None where nothing is known of it.

        Raise StoreUnavailable where that cannot be said.
        """
        ...

    async def keep(self, told: Mapping[bytes, int]) -> None:
        """Remember these.  Raise StoreUnavailable where it is not known whether that was done."""
        ...
