"""What detectors learn of an answer: which class, how sure, how long a vector; buckets alone.

Rule: noticed is what the model said, before any mutator, of the first predictions of an answer; no
name, score or vector is kept.  It changes nothing of the answer and never refuses one.
"""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from extproc.detectors.features import LABELS, MARGINS, NORMS
from extproc.detectors.observation import SAMPLE
from extproc.prediction import Embedding, Kind, Matrix, Prediction, Probabilities, Vector

_SURE: Final = MARGINS - 1
"""The bucket of margins from 1/2 on; each before it is an octave further down."""
_UNIT: Final = NORMS // 2
"""The bucket of vectors of length 1, and of those up to a half longer or shorter."""
_OCTAVE: Final = math.sqrt(0.5)
_HALF: Final = 0.5
_NAMED: Final = 64
"""Characters of a class's name by which it is told from others."""


class Noticed:
    """Of one answer, as it is rewritten."""

    __slots__ = ("_buckets", "_key", "knobs", "labels", "margins", "names", "norms")

    def __init__(self, key: bytes, knobs: int = 0) -> None:
        """``key`` tells classes apart: of a model, and of those who may know each other's."""
        self.labels: list[int] = []
        """Which class is the most likely: a keyed digest of its name, or number, below LABELS."""
        self.margins: list[int] = []
        """How much more so than the next, below MARGINS."""
        self.norms: list[int] = []
        """How long an embedding is, below NORMS."""
        self.knobs = knobs
        """What the request asked for: see knobs.py."""
        self.names: Sequence[Sequence[Any]] = ()
        """For each class of the next prediction what it is called; empty where its place tells."""
        self._key = blake2b(key).digest()
        self._buckets: dict[str, int] = {}

    def see(self, prediction: Prediction) -> None:
        """What the model said of one input."""
        if isinstance(prediction, Probabilities):
            if len(self.margins) < SAMPLE:
                names, self.names = self.names, ()
                self._see_classes(prediction.values[np.newaxis], names)
        elif isinstance(prediction, Embedding) and len(self.norms) < SAMPLE:
            self.see_rows("embedding", prediction.values[np.newaxis])

    def see_rows(self, kind: Kind, rows: Matrix) -> None:
        """Of many predictions of one kind."""
        if kind == "probabilities":
            self._see_classes(rows[: SAMPLE - len(self.margins)], ())
        elif kind == "embedding":
            some = rows[: SAMPLE - len(self.norms)]
            with np.errstate(over="ignore"):
                lengths: Vector = np.sqrt(np.einsum("ij,ij->i", some, some))
            self.norms += [_bucket(each * _OCTAVE, _UNIT, NORMS) for each in lengths.tolist()]

    def _see_classes(self, rows: Matrix, names: Sequence[Sequence[Any]]) -> None:
        if not rows.size:
            return
        if rows.shape[1] > 1:
            first = rows.argmax(axis=1)
            two = np.partition(rows, -2, axis=1)[:, -2:]
            margins = two[:, 1] - two[:, 0]
        else:  # of two classes one is told
            first, margins = (rows[:, 0] >= _HALF).astype(np.intp), np.abs(2.0 * rows[:, 0] - 1.0)
        for number, margin in zip(first.tolist(), margins.tolist(), strict=True):
            named = names[number] if number < len(names) else ()
            self.labels.append(self._label(str(named[0]) if named else str(number)))
            self.margins.append(_bucket(margin, _SURE, MARGINS))

    def _label(self, name: str) -> int:
        bucket = self._buckets.get(name)
        if bucket is None:
            octets = name[:_NAMED].encode(errors="replace")
            made = blake2b(octets, digest_size=1, key=self._key).digest()
            bucket = self._buckets[name] = made[0] % LABELS
        return bucket


def _bucket(value: float, place: int, buckets: int) -> int:
    """By octaves, of which the one below 1 is at this place."""
    if value == 0.0:
        return 0
    return (
        max(0, min(buckets - 1, math.frexp(value)[1] + place)) if value < math.inf else buckets - 1
    )
