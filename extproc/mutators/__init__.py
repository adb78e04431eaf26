"""Defences that change a prediction.

To add one: write a file here and add its class to the Mutator union.  The class *is* its
configuration: its fields are the YAML's fields.  A mutator is a pure function of the prediction
alone, so that asking again never averages anything away (design law 7).  ``KINDS`` names what it
understands: a fidelity that gives it another kind is refused at load, never skipped in silence.
"""

from collections.abc import Iterable

from extproc.draw import Source
from extproc.mutators.drop import Drop
from extproc.mutators.label_only import LabelOnly
from extproc.mutators.mutator import Keyed
from extproc.mutators.quantize import Quantize
from extproc.mutators.round import Round
from extproc.mutators.top_k import TopK
from extproc.mutators.truncate import Truncate
from extproc.prediction import Prediction

__all__ = [
    "Drop",
    "Keyed",
    "LabelOnly",
    "Mutator",
    "Quantize",
    "Round",
    "TopK",
    "Truncate",
    "mutate",
]

Mutator = TopK | Round | LabelOnly | Quantize | Truncate | Drop


def mutate(
    mutators: Iterable[Mutator], _source: Source | None, prediction: Prediction
) -> Prediction | None:
    """Pass a prediction through mutators in order; None where one of them drops it."""
    for mutator in mutators:
        changed = mutator.apply(prediction)
        if changed is None:
            return None
        prediction = changed
    return prediction
