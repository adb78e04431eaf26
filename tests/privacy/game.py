"""The distinguishing game: which of two neighbours an answer came from, and what that proves.

Whoever tells them apart by some event has a lower bound on what the mechanism gives away: the
event's odds under both, each by its exact confidence limit (Clopper and Pearson, Biometrika 26(4),
1934), so that a bound above the claim is a bug but once in a million games.
"""

import math
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Any

from scipy.stats import beta

from extproc.draw import Draw, Source
from extproc.mutators import Mutator, mutate
from extproc.prediction import Embedding, Prediction, Probabilities, Score, Votes
from extproc.privacy import NANO, Cost, epsilon_of

RISK = 1e-6
DELTAS = (0.0, 1e-6, 1e-3, 0.05)
LAW = NormalDist()


class Game:
    """An event was seen so often in so many answers about the one, and about the other."""

    def __init__(self, one: int, other: int, draws: int) -> None:
        self.likely = float(beta.ppf(RISK, one, draws - one + 1)) if one else 0.0
        self.unlikely = float(beta.ppf(1 - RISK, other + 1, draws - other))

    def epsilon(self, delta: float) -> float:
        """No mechanism with a smaller epsilon at this delta would have done so."""
        left = self.likely - delta
        return math.log(left / self.unlikely) if left > 0 else -math.inf

    def mu(self) -> float:
        """Nor one that is Gaussian private for a smaller mu."""
        return LAW.inv_cdf(self.likely) - LAW.inv_cdf(self.unlikely)


def sources(count: int, label: bytes) -> Iterator[Source]:
    """Of so many inputs that differ."""
    secret = Draw(b"0123456789abcdef0123456789abcdef").child(label)
    octets = secret.octets(32 * count)
    for at in range(0, 32 * count, 32):
        yield Source(secret, secret, Draw(octets[at : at + 32]))


def seen(
    mutator: Mutator,
    one: Prediction,
    other: Prediction,
    event: Callable[[Any], bool],
    draws: int,
) -> Game:
    """Play it with real answers, each about an input of its own; ``event`` gets their values."""
    hits = [
        sum(event(_values(mutate([mutator], source, each))) for source in sources(draws, label))
        for each, label in ((one, b"one"), (other, b"other"))
    ]
    return Game(hits[0], hits[1], draws)


def _values(prediction: Prediction | None) -> Any:
    match prediction:
        case Score(value):
            return value
        case Probabilities(values) | Votes(values) | Embedding(values):
            return values
        case _:
            raise TypeError("there is an answer")


def holds(game: Game, claim: Cost) -> bool:
    """Whether what a game proves is within what an answer is said to cost."""
    within = game.mu() <= math.sqrt(claim.gdp / NANO)
    return within and all(game.epsilon(delta) <= epsilon_of(claim, delta) for delta in DELTAS)
