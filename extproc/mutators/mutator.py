"""The sorts of mutators: functions of a prediction, of a prediction and a key, of a whole answer.

Each of them also says how much it lets through: ``limit(kind, before)``, what there can be
behind it of what there could be before it (see capacity.py).
"""

from typing import ClassVar

import msgspec

from extproc.prediction import Kind


class Plain(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply(prediction)``: equal predictions are served alike, whoever asks."""

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""


class Keyed(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply(prediction, source)``: draws from a source, and nowhere else (see draw.py)."""

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""


class Whole(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """``apply_all(predictions)``: what an answer says of one input depends on its others.

    It is the last of its chain, once: the others work on one prediction.
    """

    KINDS: ClassVar[frozenset[Kind]]
    """What it understands."""
    MOST: ClassVar[int]
    """Inputs that one request may ask about."""
