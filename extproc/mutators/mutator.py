"""The sorts of mutators: functions of a prediction, of a prediction and a key, of a whole answer.

Each of them also says how much it lets through: ``limit(kind, before)``, what there can be
behind it of what there could be before it (see capacity.py).
"""

from typing import ClassVar

import msgspec

from extproc.prediction import Kind, Prediction
from extproc.privacy import Cost


class Plain(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply(prediction)``: equal predictions are served alike, whoever asks."""

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""
    RELABELS: ClassVar[bool] = False
    """Whether it may change which class is the likeliest (design law 6)."""


class Keyed(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply(prediction, source)``: draws from a source, and nowhere else (see draw.py)."""

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""
    RELABELS: ClassVar[bool] = False
    """See Plain."""


class Private(Keyed, frozen=True, forbid_unknown_fields=True, dict=True):
    """A mutator whose answers are differentially private: it draws from a law that is exact.

    It is the first of its chain, since its promise is about what it is given, and the only one of
    its sort; what others make of its answer costs nothing more (Dwork and Roth, 2014, prop. 2.1).
    It keeps the tables that it draws from, made when a policy is read: no answer waits for them.
    """

    def cost(self) -> Cost:
        """Of the answer to one input, at most."""
        raise NotImplementedError

    def spent(self, _served: Prediction) -> Cost:
        """Of one of its answers, as it turned out."""
        return self.cost()


class Whole(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply_all(predictions)``: what an answer says of one input depends on its others.

    It is the last of its chain, once: the others work on one prediction.
    """

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""
    RELABELS: ClassVar[bool] = False
    """See Plain."""
    MOST: ClassVar[int]
    """Inputs that one request may ask about."""
