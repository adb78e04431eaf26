"""Answers about votes, served as an exchange serves them."""

from collections.abc import Sequence
from typing import Any, Final

from extproc.dialects.paid import Paid, Price
from extproc.dialects.shape import Rewrite
from extproc.dialects.told import Told
from extproc.draw import Draw, Draws
from extproc.mutators import NoisyMax
from tests.dialects.tiers import MODEL, Edits, tier

MECHANISM: Final = NoisyMax(noise="gaussian", scale=1.0)
PRIVATE: Final = tier({"votes": [MECHANISM]})
SURE: Final = [[0, 200, 50], [250, 0, 0]]
TOLD: Final = [[0, 1, 0], [1, 0, 0]]


def run(
    edits: Edits = PRIVATE, inputs: int = 2, recalled: Sequence[int | None] = (), **more: Any
) -> Rewrite:
    """Of a request about so many inputs, each of them paid for."""
    draws = Draws(Draw(b"s" * 32), [bytes([number]) * 32 for number in range(inputs)])
    paid = Paid({"votes": Price(MECHANISM.cost(), MECHANISM.cost())}, {"votes": inputs}, recalled)
    told = Told(paid=paid if edits is PRIVATE else None)
    return Rewrite(edits, MODEL, draws, told=told, inputs=inputs, **more)
