"""How much a request asks for, or took, in every unit that limits count.

Rule: whole numbers, rounded up: a sum of parts is never more than the whole.
"""

import math
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from extproc.prediction import Kind
from extproc.privacy import FREE, NANO, Cost

MILLI: Final = 1000
"""Credits are counted in thousandths."""
MOST_PRIVATE: Final = 1 << 50
"""In billionths, more than any budget of privacy has: what costs as much is refused."""


class Tariff(Struct, frozen=True):
    """What a request costs, in credits: a sum of what it asks and what it takes, times what its
    model and the risk class of its route are worth.

    Linear in everything, so that the worst case is that of the largest numbers.
    """

    request: float = 0.0
    query: float = 1.0
    input_token: float = 0.0
    output_token: float = 0.0
    times: float = 1.0
    models: tuple[tuple[tuple[str, ...], float], ...] = ()
    """Times so much for models of these patterns: the first that fits."""

    def of(self, model: str) -> "Tariff":
        """What requests of a model cost."""
        for patterns, times in self.models:
            if any(fnmatchcase(model, pattern) for pattern in patterns):
                return replace(self, times=self.times * times, models=())
        return self

    def credits(self, queries: int, input_tokens: int, output_tokens: int) -> int:
        """In thousandths."""
        of_tokens = self.input_token * input_tokens + self.output_token * output_tokens
        return math.ceil((self.request + self.query * queries + of_tokens) * self.times * MILLI)


USUAL: Final = Tariff()
"""What every request costs where nobody says anything: one credit for each input."""


class Amounts(Struct, frozen=True):
    """Of one request, by unit."""

    requests: int = 1
    queries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    bits: Mapping[Kind, int] = {}
    tariff: Tariff = USUAL
    concurrent: int = 1
    privacy: Mapping[Kind, Cost] = {}
    """Of what is answered privately."""

    def of(self, unit: str, kinds: Collection[Kind] = ()) -> tuple[int, int]:
        """How much in a unit, and how much of that is certain as soon as the request goes on.

        Tokens are not: what is not known to have been read or written is not charged for ever.
        """
        match unit:
            case "privacy" | "epsilon":
                spent = self._private(kinds)
                amount = spent.gdp if unit == "privacy" else spent.epsilon
                counted = MOST_PRIVATE if amount is None else min(amount, MOST_PRIVATE)
                return counted, counted
            case "tokens":
                return self.input_tokens + self.output_tokens, 0
            case "credits":
                certain = self._credits(0, 0) if self.requests else 0
                return self._credits(self.input_tokens, self.output_tokens), certain
            case "bits":
                counted = sum(
                    bits for kind, bits in self.bits.items() if not kinds or kind in kinds
                )
                return counted, counted
            case "concurrent":
                return self.concurrent, 0
            case _:
                amount = int(getattr(self, unit))
                return amount, amount

    def _private(self, kinds: Collection[Kind]) -> Cost:
        costs = (cost for kind, cost in self.privacy.items() if not kinds or kind in kinds)
        return sum(costs, FREE)

    def _credits(self, input_tokens: int, output_tokens: int) -> int:
        if not self.requests:
            return 0
        return self.tariff.credits(self.queries, input_tokens, output_tokens)


NOTHING: Final = Amounts(requests=0, concurrent=0)
"""What a request took that was given back whole."""


def told(unit: str, amount: int) -> float:
    """An amount as the policy file counts it: credits in credits, to the thousandth; privacy in
    squares of mu, or in epsilon.
    """
    if unit in {"privacy", "epsilon"}:
        return amount / NANO
    return round(amount / MILLI, 3) if unit == "credits" else amount
