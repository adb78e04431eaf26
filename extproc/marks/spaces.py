"""Whether a space of embeddings is a copy of one that was marked, or turned, for somebody.

Rule: what is looked for hangs on secret signs, and what it is looked for in does not, so that the
p-values of sign_test.py hold for every model that has seen no answer under the key: another seed,
another architecture, the same open model, noise.  They hold too where the copy is laid over the
original first, since that is done without the key: by the nearest rotation (Schoenemann,
Psychometrika 31, 1966), and by the linear map that fits best.  So neither rotation nor shifts nor
fewer dimensions hide a mark from it.

The moves of positions.py are looked for in what is left of each vector where the laid-over original
is taken away.  Those of a tenant's rotation (mutators/rotate.py) are not: nothing but the rotation
itself tells it, and a copy that was rotated once more tells none.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np

from extproc.draw import Draw
from extproc.marks.positions import MOST, Corners, Moves, drawn, secret
from extproc.marks.sign_test import bits, deviation
from extproc.marks.statistics import holm
from extproc.prediction import Matrix, Vector

Laid = Literal["rotated", "mapped"]
WAYS: Final[tuple[Laid, ...]] = ("rotated", "mapped")
"""In which the original is laid over a copy, each tried, and paid for as one of two tests."""
_NOISE: Final = 0.3
"""Of the mean variance of what is left: added to each, of which few texts tell little."""
_RIDGE: Final = 1e-3
"""Of the mean variance of a component: a map of more components than there are texts is none."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How much of one key's marks there is in a suspect space."""

    bits: float
    """log2 of the p-value, for all ways of looking together: at most 0."""
    kept: float
    """The effect: which part of the marks' strength is found, 1 where they are there as they were
    served; of a model that has seen none about 0."""
    deviations: float
    """By so many the secret signs are told better than by a coin; of a model that has seen none of
    the marks it is as a normal number, where there is one way of looking."""
    laid: Laid
    """By which map it is found best."""
    full: float
    """The deviations of a space that has all of the marks, and is else off by as much: at least."""
    most: float
    """The same, laid over as it would show most."""


@dataclass(frozen=True, slots=True)
class Part:
    """Texts whose vectors were moved under one key."""

    key: Draw
    """See positions.secret."""
    strength: float
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Residue:
    """What a suspect space has that the original has not."""

    laid: Laid
    along: Matrix
    """Shape (texts, dimensions): how it goes along with each of the original's components."""
    weight: Matrix
    """Shape (dimensions, dimensions): how a step of 1 along one goes along with each."""


def residues(raw: Matrix, suspect: Matrix) -> list[Residue]:
    """By each way.  Row by row of the same text: ``raw`` [n, d] of the model itself, ``suspect``
    [n, e].

    Raise ValueError where they are not as many, or not finite.
    """
    if len(raw) != len(suspect) or not (np.isfinite(raw).all() and np.isfinite(suspect).all()):
        raise ValueError("a suspect's vectors are finite, and one for each text")
    own, found = raw - raw.mean(axis=0), suspect - suspect.mean(axis=0)
    cross = own.T @ found
    return [_residue(laid, own, found, _laid(laid, own, cross)) for laid in WAYS]


def moved(key: Draw, strength: float, raw: Matrix, found: Sequence[Residue]) -> Trace:
    """Whether the suspect was taught with vectors that were moved under this key.

    ``key``: draw.Source.marks; ``found``: ``residues`` of the same ``raw``.
    """
    return moved_by([Part(secret(key), strength, range(len(raw)))], raw, found)


def moved_by(parts: Sequence[Part], raw: Matrix, found: Sequence[Residue]) -> Trace:
    """The same of the keys of several epochs, each of which moved some of the vectors: their coins
    are all looked at together.
    """
    placed = [_Placed.of(part, raw) for part in parts]
    steps = np.zeros(raw.shape)
    for each in placed:
        steps[each.rows, : each.steps.shape[1]] = each.steps
    left = _left(raw, steps)
    told = [_told(each, placed, left) for each in found]
    best = max(range(len(told)), key=lambda at: told[at][0])
    deviations, full = told[best]
    proven = min(0.0, bits(deviations) + math.log2(len(told)))
    most = max(full for _, full in told)
    return Trace(proven, _kept(found[best], steps), deviations, found[best].laid, full, most)


def turned(
    signs: Vector, unsigned: Callable[[Vector], Vector], raw: Matrix, suspect: Matrix
) -> float:
    """log2 of the p-value that a suspect lies in a space that is turned by a tenant's rotation.

    Of rotations that begin with ``signs`` [d] and go on with ``unsigned``; of a suspect with fewer
    dimensions it is the first that are compared.
    """
    dimensions = raw.shape[1]
    axes = np.array([unsigned(axis) for axis in np.eye(dimensions)])
    shown = min(dimensions, suspect.shape[1])
    evidence = np.einsum("ij,ij->j", raw, suspect[:, :shown] @ axes[:, :shown].T)
    return bits(deviation(signs, evidence))


def accused(traces: Mapping[str, float], level: float = 1e-6) -> list[tuple[str, float]]:
    """Whose marks are found, most certain first, with log2 of the p-value corrected for as many
    tenants as were looked for; ``traces``: log2 of each tenant's own.

    Whoever is named here is named wrongly no more often than the level says, for all together.
    """
    corrected = zip(traces, holm(list(traces.values())), strict=True)
    found = [(tenant, each) for tenant, each in corrected if each <= math.log2(level)]
    return sorted(found, key=lambda pair: pair[1])


def _laid(laid: Laid, own: Matrix, cross: Matrix) -> Matrix:
    """The map [d, e]."""
    square = own.T @ own
    spread = float(np.trace(square))
    match laid:
        case "rotated":
            left, stretched, right = np.linalg.svd(cross, full_matrices=False)
            scale = float(stretched.sum()) / spread if spread else 0.0
            rotated: Matrix = left @ right * scale
            return rotated
        case "mapped":
            ridge = _RIDGE * spread / len(square) or 1.0
            held = square + ridge * np.eye(len(square))
            return np.asarray(np.linalg.solve(held, cross), np.float64)


def _residue(laid: Laid, own: Matrix, found: Matrix, through: Matrix) -> Residue:
    """Directions in which the copy is off by much for reasons of its own count little: least
    squares as Aitken (1935) weighs them.
    """
    left = found - own @ through
    spread = np.asarray(left.T @ left / len(left), np.float64)
    added = _NOISE * float(np.trace(spread)) / len(spread) or 1.0
    spread.flat[:: len(spread) + 1] += added
    weighed = np.linalg.solve(spread, through.T)
    return Residue(laid, left @ weighed, through @ weighed)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where vectors were moved under one key."""

    rows: Sequence[int]
    moves: Moves
    """See Positions."""
    corners: Corners
    """Shape (rows, polytopes)."""
    steps: Matrix
    """Shape (rows, dimensions): how far each was moved."""

    @classmethod
    def of(cls, part: Part, raw: Matrix) -> Self:
        own = raw[list(part.rows)]
        placed = drawn(part.key, min(raw.shape[1], MOST))
        steps = np.array([placed.of(row) for row in own], np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", steps, steps))
        lengths[lengths == 0] = 1.0
        far = part.strength * np.sqrt(np.einsum("ij,ij->i", own, own)) / lengths
        corners = np.array([placed.corners(row) for row in own])
        return cls(part.rows, placed.moves, corners, steps * far[:, np.newaxis])

    def signs(self) -> Vector:
        """Of all coins: one for each component that is moved in each region."""
        signs: Vector = self.moves[self.moves != 0].astype(np.float64)
        return signs

    def evidence(self, along: Matrix) -> Vector:
        """What stands for each of them."""
        sums, own = np.zeros(self.moves.shape), along[list(self.rows), : self.moves.shape[2]]
        for each, nearest in zip(sums, self.corners.T, strict=True):
            np.add.at(each, nearest, own)
        evidence: Vector = sums[self.moves != 0]
        return evidence


def _left(raw: Matrix, steps: Matrix) -> Matrix:
    """What of the moves no map takes up that is fitted to them as well; a rotation takes less."""
    own = raw - raw.mean(axis=0)
    left: Matrix = steps - own @ _laid("mapped", own, own.T @ steps)
    return left


def _told(residue: Residue, placed: Sequence[_Placed], steps: Matrix) -> tuple[float, float]:
    """The deviations of all coins together, and what they were if all of the marks were there."""
    signs = np.concatenate([each.signs() for each in placed])
    evidence = np.concatenate([each.evidence(residue.along) for each in placed])
    wanted = np.concatenate([each.evidence(steps @ residue.weight) for each in placed])
    length = math.sqrt(float(np.vdot(evidence, evidence)))
    full = float(np.vdot(signs, wanted)) / length if length else 0.0
    return deviation(signs, evidence), full


def _kept(residue: Residue, steps: Matrix) -> float:
    """Least squares of what is left on the moves, as they are seen through the map."""
    expected = float(np.vdot(steps @ residue.weight, steps))
    return float(np.vdot(steps, residue.along)) / expected if expected else 0.0
