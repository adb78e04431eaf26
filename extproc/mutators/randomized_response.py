"""Answer the top label, or by the toss of a die another: private in what the model said.

Rule: k-ary randomised response.  The top of k classes is told with odds of e**epsilon to 1 against
each other class, so that no answer is e**epsilon times likelier under one label than under another
(Warner, JASA 60(309), 1965; Kairouz, Bonawitz and Ramage, ICML 2016).  It changes the label, and
says nothing but a label.

That is a promise about an output, not about training data: who sees the answer cannot be sure what
the model said.  Of ten classes the label is wrong more often than right below epsilon 2.2.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.mutators._domain import check_probabilities
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Private
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score, Votes
from extproc.privacy import Cost, exact, pure_cost, respond, truthful


class RandomizedResponse(Private, frozen=True, tag="randomized_response"):
    """Changes the top label, so often as epsilon says.  Probabilities become one-hot."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities"})
    RELABELS: ClassVar[bool] = True

    epsilon: Annotated[float, msgspec.Meta(ge=0.01, le=20.0)]
    """Of one answer."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return self._responded(prediction, source)
            case Votes() | Score() | Logprobs() | Embedding():
                raise TypeError("randomized_response knows probabilities only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        return before.least(math.log2(max(1, before.size)), shown=1, depth=1.0)

    def cost(self) -> Cost:
        """Of two classes, the hardest case."""
        return pure_cost(exact(self.epsilon))

    def truth(self, classes: int) -> float:
        """How likely the label is the model's own."""
        return truthful(exact(self.epsilon), classes) / 2**128

    def _responded(self, prediction: Probabilities, source: Source) -> Probabilities:
        values = prediction.values
        check_probabilities(values)
        if not values.size:
            return prediction
        label = int(values.argmax())
        if values.size > 1:
            secret = source.answer(b"randomized_response").child(b"%d" % label)
            label = respond(secret, exact(self.epsilon), values.size, label)
        answer = np.zeros_like(values)
        answer[label] = 1.0
        return Probabilities(answer)
