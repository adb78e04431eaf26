"""Mark a copy: in a few cells of the input space, the next class is served as the likeliest.

Rule: a share of the cells (marks/cells.py), which only the key knows; whoever asks again, or nearly
the same, or at another tier, is told the same.  Whoever trains on the answers learns the marks with
them, and `extproc ownership verify` finds them (Szyller et al., "DAWN", ACM Multimedia 2021).  Two
callers see each other's marks where their answers differ, so the key is their cohort's.

It changes the label, as often as it says and no more often.  It is the first of its chain: what
the others make of its answer is the same for a mark as for any other.
"""

from typing import Annotated, ClassVar

import msgspec

from extproc.draw import Source
from extproc.marks.contenders import Class, contenders
from extproc.marks.stamps import stamp
from extproc.mutators._domain import check_probabilities
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Keyed
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score, Votes


class Mark(Keyed, frozen=True, tag="mark"):
    """Changes the top label, of at most so many cells."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities"})
    RELABELS: ClassVar[bool] = True

    rate: Annotated[float, msgspec.Meta(ge=0.001, le=0.005)]
    """The share of cells that are marked."""
    protected: Annotated[tuple[Class, ...], msgspec.Meta(max_length=10_000)] = ()
    """Classes that are never served instead of another, nor another instead of them: by name, or by
    number from 0 where answers name none."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return self._marked(prediction, source)
            case Votes() | Score() | Logprobs() | Embedding():
                raise TypeError("mark knows probabilities only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """The same values, in another order."""
        return before.least()

    def _marked(self, prediction: Probabilities, source: Source) -> Probabilities:
        check_probabilities(prediction.values)
        if source.cell is None or stamp(source.cell, self.rate) != "mark":
            return prediction
        both = contenders(prediction.values, source.names, frozenset(self.protected))
        if both is None:
            return prediction
        served = prediction.values.copy()
        served[list(both)] = prediction.values[list(reversed(both))]
        return Probabilities(served)
