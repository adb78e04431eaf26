"""Blur the border between two classes, by a secret coin for each input.

Rule: where the top two are nearer than a margin they may change places, more often the nearer they
are, and on the very border every other time.  Nothing else is touched, and the coin is the input's,
so that asking again shows the same face.  Attacks that walk along a border by bisection (Chen et
al., "HopSkipJumpAttack", IEEE S&P 2020; Lowd and Meek, "Adversarial Learning", KDD 2005) find a
strip instead of a line, at the price of wrong labels in it.

It changes labels, in that strip alone, and is the first of its chain: behind another, which may
hide the class that is next, it would serve one that is not.  Queries away from every border are
answered as before: it does not slow a thief who trains on natural data.
"""

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.mutators._domain import check_probabilities
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Keyed
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score, Votes


class Smooth(Keyed, frozen=True, tag="smooth"):
    """Changes the top label, only where the two likeliest are within ``margin``."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities"})
    RELABELS: ClassVar[bool] = True

    margin: Annotated[float, msgspec.Meta(ge=1e-6, le=0.5)]
    """Difference of two probabilities from which on the likelier one is served as the likelier."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return _smoothed(prediction, self.margin, source)
            case Votes() | Score() | Logprobs() | Embedding():
                raise TypeError("smooth knows probabilities only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """The same values, in another order."""
        return before.least()


def _smoothed(prediction: Probabilities, margin: float, source: Source) -> Probabilities:
    values = prediction.values
    check_probabilities(values)
    if values.size < 2:
        return prediction
    first, second = np.argsort(-values, kind="stable")[:2]
    apart = values[first] - values[second]
    if apart >= margin:
        return prediction
    coin = source.input.child(b"smooth").uniform(1)[0]
    if coin >= 0.5 - 0.5 * apart / margin:
        return prediction
    served = values.copy()
    served[[first, second]] = values[[second, first]]
    return Probabilities(served)
