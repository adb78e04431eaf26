"""The two sorts of mutators: functions of a prediction, and of a prediction and a key."""

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
