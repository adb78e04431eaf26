"""Defences that change a prediction.

To add one: write a file here and add its class to the Mutator union.  The class *is* its
configuration: its fields are the YAML's fields.  A mutator is a pure function of the prediction,
and if it is keyed of a draw that is the same whenever the same is asked, so that asking again never
averages anything away (design law 7).  ``KINDS`` names what it understands: a fidelity that gives
it another kind is refused at load, never skipped in silence.
"""

from collections.abc import Iterable

from extproc.draw import Source
from extproc.mutators.bins import Bins
from extproc.mutators.capacity import Capacity, whole
from extproc.mutators.codebook import Codebook
from extproc.mutators.discrete_laplace import DiscreteLaplace
from extproc.mutators.dither import Dither
from extproc.mutators.drop import Drop
from extproc.mutators.floor import Floor
from extproc.mutators.gaussian import Gaussian
from extproc.mutators.hash import Hash
from extproc.mutators.label_only import LabelOnly
from extproc.mutators.mark import Mark
from extproc.mutators.mark_positions import MarkPositions
from extproc.mutators.mutator import Keyed, Private, Whole
from extproc.mutators.noise import Noise
from extproc.mutators.noisy_max import NoisyMax
from extproc.mutators.quantize import Quantize
from extproc.mutators.randomized_response import RandomizedResponse
from extproc.mutators.rotate import Rotate, fingerprint, space_id
from extproc.mutators.round import Round
from extproc.mutators.similarity import Similarity
from extproc.mutators.smooth import Smooth
from extproc.mutators.steps import Steps
from extproc.mutators.top_k import TopK
from extproc.mutators.truncate import Truncate
from extproc.prediction import Kind, Prediction

__all__ = [
    "Bins",
    "Capacity",
    "Codebook",
    "DiscreteLaplace",
    "Dither",
    "Drop",
    "Floor",
    "Gaussian",
    "Hash",
    "Keyed",
    "LabelOnly",
    "Mark",
    "MarkPositions",
    "Mutator",
    "Noise",
    "NoisyMax",
    "Private",
    "Quantize",
    "RandomizedResponse",
    "Rotate",
    "Round",
    "Similarity",
    "Smooth",
    "Steps",
    "TopK",
    "Truncate",
    "Whole",
    "fingerprint",
    "limit",
    "mutate",
    "space_id",
]

Mutator = (
    TopK
    | Round
    | Bins
    | Codebook
    | LabelOnly
    | NoisyMax
    | RandomizedResponse
    | DiscreteLaplace
    | Gaussian
    | Mark
    | MarkPositions
    | Smooth
    | Steps
    | Floor
    | Truncate
    | Quantize
    | Rotate
    | Dither
    | Noise
    | Hash
    | Similarity
    | Drop
)


def mutate(
    mutators: Iterable[Mutator], source: Source | None, prediction: Prediction
) -> Prediction | None:
    """Pass a prediction through mutators in order; None where one of them drops it.

    Raise TypeError where a mutator is to draw and there is nothing to draw from, or where it has to
    know the other predictions of the answer.
    """
    for mutator in mutators:
        if isinstance(mutator, Whole):
            raise TypeError("a mutator of whole answers does not know one prediction alone")
        if not isinstance(mutator, Keyed):
            changed = mutator.apply(prediction)
        elif source is not None:
            changed = mutator.apply(prediction, source)
        else:
            raise TypeError("a keyed mutator without a source")
        if changed is None:
            return None
        prediction = changed
    return prediction


def limit(mutators: Iterable[Mutator], kind: Kind, size: int, inputs: int = 1) -> Capacity:
    """What a prediction of so many classes, dimensions or alternatives carries behind them.

    Of an answer to so many inputs, each of them has one such prediction.
    """
    capacity = whole(kind, size)
    for mutator in mutators:
        if isinstance(mutator, Whole):
            capacity = mutator.limit(kind, capacity, inputs)
        else:
            capacity = mutator.limit(kind, capacity)
    return capacity
