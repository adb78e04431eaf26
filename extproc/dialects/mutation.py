"""What a tier does to predictions, as functions that dialects call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Matrix, Prediction, Tokens

Edit = Callable[[Prediction], Prediction | None]
"""What happens to a prediction: its tier's mutators, in order; None where it is dropped."""

Mutation = Callable[[Source | None, Prediction], Prediction | None]
"""An edit, before it is known what randomness is to be used; None where there is no key for any."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """What becomes of an answer's vectors where that depends on all of them.

    No vector passes it by itself: one that nobody gathers makes the answer unreadable.
    """

    each: Mutation
    """What each of them goes through first."""
    together: Callable[[Sequence[Embedding]], Sequence[Embedding]]
    """As many as there were, in their order."""

    def __call__(self, source: Source | None, prediction: Prediction) -> Prediction | None:
        raise UpstreamError("an embedding stands where it cannot be compared with the others")


RowsMutation = Callable[[Matrix], Matrix]
"""An edit of many predictions of one size at once: bit for bit as one by one; itself when
unchanged."""

TokensMutation = Callable[[Tokens], Tokens]
"""An edit of many log probabilities at once: bit for bit as one by one."""


@dataclass(frozen=True, slots=True)
class Batched:
    """A mutation that does not draw, and that takes many predictions at once as well."""

    one: Mutation
    rows: RowsMutation | None = None
    tokens: TokensMutation | None = None

    def __call__(self, source: Source | None, prediction: Prediction) -> Prediction | None:
        return self.one(source, prediction)
