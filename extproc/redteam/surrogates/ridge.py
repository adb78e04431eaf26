"""Linear maps from one space of vectors to another, and rotations between two.

Rule: float64 throughout, and no iteration whose end depends on luck: the same pairs give the same
map.  Sources: Hoerl and Kennard, 1970, "Ridge Regression: Biased Estimation for Nonorthogonal
Problems", Technometrics 12(1); Schoenemann, 1966, "A generalized solution of the orthogonal
Procrustes problem", Psychometrika 31(1); Boehning and Lindsay, 1988, "Monotonicity of
quadratic-approximation algorithms" (a bound on the curvature of the logistic loss in place of its
Hessian).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats

STRENGTHS: Final = (1e-6, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
"""Tried by `chosen`: of the penalty, where inputs have length one."""
_HELD_OUT: Final = 5
"""Every so many-th pair validates."""
_STEPS: Final = 40


@dataclass(frozen=True, slots=True)
class Linear:
    """x -> x @ weights + offset; ``weights`` [D, E], ``offset`` [E]."""

    weights: Floats
    offset: Floats

    def __call__(self, inputs: Floats) -> Floats:
        mapped: Floats = inputs @ self.weights + self.offset
        return mapped


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Inputs [N, D] taken apart once, for outputs and penalties of any kind."""

    inputs: Floats
    mean: Floats
    values: Floats
    """Of the inputs' Gram matrix, ascending [D]."""
    axes: Floats

    @classmethod
    def of(cls, inputs: Floats) -> "Spectrum":
        mean = inputs.mean(axis=0)
        centred = inputs - mean
        values, axes = np.linalg.eigh(centred.T @ centred)
        return cls(centred, mean, values, axes)

    def fit(self, outputs: Floats, strength: float) -> Linear:
        """Least squares of outputs [N, E], with a penalty on the weights; 0 is none."""
        [fitted] = self.fits(outputs, [strength])
        return fitted

    def fits(self, outputs: Floats, strengths: Sequence[float]) -> list[Linear]:
        """One map for each penalty; of maps that fit equally well, the smallest."""
        centre = outputs.mean(axis=0)
        cross = self.axes.T @ (self.inputs.T @ (outputs - centre))
        # What is below is rounding: the axis was not asked about.
        told = self.values > self.values[-1] * len(self.values) * np.finfo(np.float64).eps
        maps = []
        for strength in strengths:
            shrunk = told / np.where(told, self.values + strength, 1)
            weights = self.axes @ (shrunk[:, None] * cross)
            maps.append(Linear(weights, centre - self.mean @ weights))
        return maps


def least_squares(inputs: Floats, outputs: Floats) -> Linear:
    """The map of inputs [N, D] to outputs [N, E] with the least squared error."""
    return Spectrum.of(inputs).fit(outputs, 0.0)


def chosen(inputs: Floats, outputs: Floats, strengths: Sequence[float] = STRENGTHS) -> Linear:
    """Ridge regression, as strong as serves a held-out fifth best by cosine."""
    held = np.arange(len(inputs)) % _HELD_OUT == _HELD_OUT - 1
    if not held.any():
        return Spectrum.of(inputs).fit(outputs, max(strengths))
    trained = Spectrum.of(inputs[~held]).fits(outputs[~held], strengths)
    scores = [cosine(each(inputs[held]), outputs[held]) for each in trained]
    return Spectrum.of(inputs).fit(outputs, strengths[int(np.argmax(scores))])


def of_signs(inputs: Floats, signs: Floats) -> Linear:
    """A map whose signs are those of ``signs`` [N, E], by logistic regression.

    Least squares on signs learns from how often they agree; this one also from how near to the
    plane each input is.
    """
    mean = inputs.mean(axis=0)
    design = np.hstack([inputs - mean, np.ones((len(inputs), 1))])
    step = np.linalg.inv(design.T @ design / 4 + 1e-3 * np.eye(design.shape[1]))
    targets = (np.sign(signs) + 1) / 2
    weights = np.zeros((design.shape[1], signs.shape[1]))
    for _ in range(_STEPS):
        told = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        weights += step @ (design.T @ (targets - told) - 1e-3 * weights)
    lengths = np.linalg.norm(weights[:-1], axis=0)
    weights /= np.where(lengths == 0, 1, lengths)
    return Linear(weights[:-1], weights[-1] - mean @ weights[:-1])


def procrustes(one: Floats, two: Floats) -> Floats:
    """The rotation [D, D] that brings ``one`` [N, D] nearest to ``two`` [N, D]."""
    left, _, right = np.linalg.svd(one.T @ two)
    turned: Floats = left @ right
    return turned


def cosine(one: Floats, two: Floats) -> float:
    """Mean cosine of rows; a row of zeros has none with anything."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return float(np.mean(np.sum(one * two, axis=1) / np.where(lengths == 0, 1, lengths)))
