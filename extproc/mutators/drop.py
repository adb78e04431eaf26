"""Withhold a prediction altogether.

Rule: nothing is put in its place.  For what no reduction makes safe: hidden states, final logits
(Carlini et al., "Stealing Part of a Production Language Model", ICML 2024) and the reasoning that
distillation feeds on.
"""

from typing import ClassVar

from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import KINDS, Kind, Prediction


class Drop(Plain, frozen=True, tag="drop"):
    """Says in the policy what leaving a kind out of a fidelity says in silence."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset(KINDS)

    def apply(self, prediction: Prediction) -> Prediction | None:
        return None

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        return before.least(0.0)
