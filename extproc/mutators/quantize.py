"""Serve an embedding in few bits per component.

Rule: the answer is a function of the codes and of two digits of the norm, nothing else.  So what an
answer tells is bounded by its codes: no scale of the vector's own rides along, and two vectors with
equal codes and equal two digits get the same bytes.

The quantiser is uniform and mid-rise (2**bits levels, none of them 0; one bit is the sign), loaded
as J. Max, "Quantizing for Minimum Distortion" (IRE Trans. Inf. Theory 6(1), 1960, table II) finds
best for Gaussian components.  It is scaled by a component of the vector, its outermost level:
that component's code is then the outermost too, hence quantising again changes nothing.
Few bits keep most of the ranking (Shakir et al., "Binary and Scalar Embedding Quantization", 2024)
and coarse codes hinder inversion (Zhuang et al., "Understanding and Mitigating the Threat of
Vec2Text", SIGIR-AP 2024); but only a single bit slows a thief who fits a model to many answers.
"""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np

from extproc.mutators._norm import snapped_norm
from extproc.mutators._rows import all_snapped, norms, settled
from extproc.mutators.capacity import FLOAT, NORM, Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Vector,
    Votes,
)

_CLIPPED: Final[Mapping[int, float]] = {2: 0.1, 3: 0.04, 4: 0.012, 5: 0.0035, 6: 0.001, 7: 0.0003}
"""Share of Gaussian components beyond the best quantiser's outermost level, by bits (Max tabulates
up to 5, the rest solves his equation); for other bits the largest component is the level.  For 2
bits it would be 0.135: a little less, so that no likely maximum counts as dominant."""


class Quantize(Plain, frozen=True, tag="quantize"):
    """A vector of zeros stays one; any other gets its own norm, to two digits."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    bits: Annotated[int, msgspec.Meta(ge=1, le=16)]
    """Bits per component."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                length = snapped_norm(values)
                if length:
                    served = _decode(_encode(values, self.bits), length)
                else:
                    served = np.zeros_like(values)  # 0.0 each: no sign of what underflowed
                return prediction if _same(served, values) else Embedding(served)
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("quantize knows embeddings only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        lengths = norms(rows)
        served = _decode_rows(_encode_rows(rows, self.bits), lengths)
        served[lengths == 0.0] = 0.0
        return settled(served, rows)

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """The codes, and two digits of the norm; how large one code is depends on the others."""
        return before.least(before.size * self.bits + NORM, shown=before.size, depth=FLOAT)


def _same(served: Vector, values: Vector) -> bool:
    """Bit by bit, where the first of them leaves it open."""
    equal = not values.size or served.item(0) == values.item(0)
    return equal and served.tobytes() == values.tobytes()


def _encode(values: Vector, bits: int) -> Vector:
    """Halves of odd numbers within ±(2**(bits - 1) - 0.5), shape (dimensions,)."""
    half = 1 << (bits - 1)
    magnitudes = np.abs(values)
    largest = float(np.maximum.reduce(magnitudes))
    outermost = _outermost(magnitudes, largest, bits)
    codes = values * ((half - 0.5) / outermost)
    np.floor(codes, out=codes)
    if outermost < largest:
        np.clip(codes, -half, half - 1, out=codes)
    codes += 0.5
    return codes


def _outermost(magnitudes: Vector, largest: float, bits: int) -> float:
    """The magnitude that the outermost level stands for.

    Where it would come out so small that the largest dwarfs it, as in a sparse vector, the largest
    is taken.  Such a vector's codes are 1/2 but for a few, by which it is known again.
    """
    beyond = round(_CLIPPED.get(bits, 0.0) * magnitudes.size)
    if beyond <= 1:
        return largest
    usual = float(np.partition(magnitudes, -beyond)[-beyond])
    dwarfed = usual * ((1 << bits) - 1) * 0.999 < largest  # a little early, for float error
    return largest if dwarfed else usual


def _decode(codes: Vector, length: float) -> Vector:
    """The codes at the length they are served at; their squares add up exactly, in any order."""
    codes *= length / math.sqrt(float(codes @ codes))
    return codes


def _encode_rows(rows: Matrix, bits: int) -> Matrix:
    """As ``_encode`` of each row; of a row of zeros, the codes of any other."""
    half = 1 << (bits - 1)
    outermost, clipped = _all_outermost(np.abs(rows), bits)
    codes = rows * ((half - 0.5) / np.where(outermost > 0.0, outermost, np.inf))[:, np.newaxis]
    np.floor(codes, out=codes)
    if clipped:
        np.clip(codes, -half, half - 1, out=codes)
    codes += 0.5
    return codes


def _all_outermost(magnitudes: Matrix, bits: int) -> tuple[Vector, bool]:
    """As ``_outermost`` of each row, and whether anything is beyond it in any of them."""
    largest = magnitudes.max(axis=1)
    beyond = round(_CLIPPED.get(bits, 0.0) * magnitudes.shape[1])
    if beyond <= 1:
        return largest, False
    usual = np.partition(magnitudes, -beyond, axis=1)[:, -beyond]
    dwarfed = usual * ((1 << bits) - 1) * 0.999 < largest
    return np.where(dwarfed, largest, usual), True


def _decode_rows(codes: Matrix, lengths: Vector) -> Matrix:
    """As ``_decode`` of each row."""
    squares = np.einsum("ij,ij->i", codes, codes)
    codes *= (all_snapped(lengths) / np.sqrt(squares))[:, np.newaxis]
    return codes
