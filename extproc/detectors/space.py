"""The space of one kind of input: where in it a query is, and how far from what others ask.

Rule: a query is where it is whatever else is asked; only the work is shared.

Cells are those of k-means on the sphere (Dhillon and Modha, "Concept decompositions for large
sparse text data", Machine Learning, 2001).  The nearest points are looked for in the nearest cells
alone (an inverted file: Jégou, Douze and Schmid, "Product quantization for nearest neighbor
search", PAMI 2011).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.reference import Domain

Matrix = npt.NDArray[np.float32]
PROBED: Final = 4
"""Cells that are looked into."""
NEAREST: Final = 3
"""Points whose cosines are averaged."""
_STRETCH: Final = np.float32(10)
"""Standard deviations that a number counts at most: one of them does not hide all others."""
_TINY: Final = np.float32(1e-12)
_APART: Final = np.float32(-2)
"""Less than any cosine from which a crowd is taken off."""


class Space:
    def __init__(self, domain: Domain) -> None:
        """Of a domain that ``reference.check`` has passed."""
        inputs, width = domain.inputs, domain.width
        self._pole = np.float32(domain.pole)
        self._shift = np.frombuffer(domain.shift, "<f4")
        self._scale = np.frombuffer(domain.scale, "<f4")
        projection = np.frombuffer(domain.projection, "<f2").reshape(inputs, domain.dimensions)
        self._projection = projection.astype(np.float32)
        self._spreads, self._unseen = np.frombuffer(domain.spreads, "<f4"), domain.unseen
        mean = np.frombuffer(domain.mean, "<f4")
        self._mean_square = float(mean @ mean)
        beside = np.concatenate([self._projection, mean[:, None]], 1)
        self._scaled = self._scale[:, None] * beside
        self._offset = np.frombuffer(domain.offset, "<f4")
        self._centres = np.frombuffer(domain.centres, "<f4").reshape(-1, width).T.copy()
        points = np.frombuffer(domain.points, np.int8).reshape(-1, width)
        # With 1 as the last number of a sketch, a product is the cosine less the crowd.
        crowds = np.frombuffer(domain.crowds, "<f4")[:, None]
        whole = np.concatenate([points * np.float32(domain.unit), -crowds], 1)
        self._points = [part.T.copy() for part in np.split(whole, np.cumsum(domain.sizes)[:-1])]
        self._probed = min(PROBED, len(domain.sizes))
        self._most = max(NEAREST, *domain.sizes)
        self._ranks = np.frombuffer(domain.ranks, "<f4")

    def sketches(self, inputs: Matrix) -> Matrix:
        """Vectors of length 1, but for texts that the projection shows little of: they are less
        near to whatever it shows, so that a few odd queries do not make all odd ones usual.

        Shape (inputs, width).
        """
        if self._pole:
            weighed = standardised(inputs, self._shift, self._scale, text=False)
            poles = np.full((len(inputs), 1), self._pole, np.float32)
            return unit(np.concatenate([weighed @ self._projection - self._offset, poles], 1))
        # As for numbers, but in another order, which takes less time.
        lengths = np.sqrt(np.square(inputs) @ np.square(self._scale))[:, None]
        projected = (inputs @ self._scaled) / np.maximum(lengths, _TINY)
        made, along = projected[:, :-1] - self._offset, projected[:, -1]
        squares = np.square(made)
        unseen = 1 + self._mean_square - 2 * along - squares @ self._spreads
        whole = squares.sum(1) + self._unseen * np.maximum(unseen, 0)
        sketches: Matrix = made / np.sqrt(np.maximum(whole, _TINY))[:, None]
        return sketches

    def probed(self, sketches: Matrix) -> npt.NDArray[np.intp]:
        """The nearest cells of each, nearest first, shape (sketches, probed)."""
        return _largest(sketches @ self._centres, self._probed)[0]

    def nearness(self, sketches: Matrix, probed: npt.NDArray[np.intp]) -> Matrix:
        """The mean cosine, less the crowd, with the nearest points of these cells; (sketches,)."""
        cells = probed.ravel()
        order = cells.argsort(kind="stable")
        with_one = np.ones((len(order), sketches.shape[1] + 1), np.float32)
        with_one[:, :-1] = sketches[order // self._probed]
        cosines = self._cosines(with_one, cells[order])
        nearest = np.empty((len(order), NEAREST), np.float32)
        nearest[order] = _largest(cosines, NEAREST)[1]
        of_each = np.sort(nearest.reshape(len(sketches), -1), 1)
        mean: Matrix = of_each[:, -NEAREST:].mean(1)
        return mean

    def _cosines(self, sketches: Matrix, cells: npt.NDArray[np.intp]) -> Matrix:
        """Of each with the points of its cell, padded; cells in ascending order."""
        cosines = np.full((len(cells), self._most), _APART, np.float32)
        starts = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist()]
        ends = [*starts[1:], len(cells)]
        for start, end, cell in zip(starts, ends, cells[starts].tolist(), strict=True):
            points = self._points[cell]  # np.dot takes less time than @ where matrices are small
            cosines[start:end, : points.shape[1]] = np.dot(sketches[start:end], points)
        return cosines

    def surprises(self, nearness: Matrix) -> Matrix:
        """-ln of how many of the ranks are as far away, itself among them."""
        as_far = np.searchsorted(self._ranks, nearness, side="right") + 1
        surprises: Matrix = np.log((len(self._ranks) + 1) / as_far).astype(np.float32)
        return surprises


def _largest(values: Matrix, count: int) -> tuple[npt.NDArray[np.intp], Matrix]:
    """Where the largest of each row are, largest first, and they; the values are overwritten.

    A few times the largest is quicker than a partition.
    """
    every = np.arange(len(values))
    places = np.empty((len(values), count), np.intp)
    found = np.empty((len(values), count), np.float32)
    for place in range(count):
        at = values.argmax(1)
        places[:, place], found[:, place] = at, values[every, at]
        values[every, at] = _APART
    return places, found


def standardised(inputs: Matrix, shift: Matrix, scale: Matrix, *, text: bool) -> Matrix:
    """What is projected: of texts the direction, of numbers how far they are off the usual."""
    if text:
        return unit(inputs * scale)
    made: Matrix = np.clip((inputs - shift) * scale, -_STRETCH, _STRETCH)
    return made


def unit(vectors: Matrix) -> Matrix:
    """Each of length 1; what has none stays 0."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    made: Matrix = vectors / np.maximum(lengths, _TINY)
    return made
