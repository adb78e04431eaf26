"""What a victim said about N inputs, as numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """A classifier's: ``labels`` [N], -1 where none was told; ``scores`` [N, C] as they came, or
    None where only labels came; ``served`` [N] says which inputs were answered at all.

    A score of zero may be a small one or one that was withheld: the gateway does not say.
    """

    labels: Ints
    scores: Floats | None
    served: Bools

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def refused(cls, count: int) -> Self:
        return cls(np.full(count, -1), None, np.zeros(count, bool))

    @classmethod
    def joined(cls, parts: "list[Answers]", classes: int) -> "Answers":
        """One after another; where some parts have scores and others not, the others' are NaN."""
        scores = None
        if any(part.scores is not None for part in parts):
            scores = np.concatenate(
                [
                    np.full((len(part), classes), np.nan) if part.scores is None else part.scores
                    for part in parts
                ]
            )
        return cls(
            np.concatenate([part.labels for part in parts]) if parts else np.zeros(0, np.int64),
            scores,
            np.concatenate([part.served for part in parts]) if parts else np.zeros(0, bool),
        )


@dataclass(frozen=True, slots=True)
class Vectors:
    """An embedding model's: ``values`` [N, D], NaN where an input was not answered."""

    values: Floats
    served: Bools

    def __len__(self) -> int:
        return len(self.values)
