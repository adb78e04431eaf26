"""Learning a reference from benign queries.

Rule: what a query's distance is compared with are distances of queries that nothing else was
learned from, and that came later: those of the same hour are more alike than those to come.  No
query is on both sides.  The same queries and generator make the same reference.

Sketches are half-whitened principal components: every component counts for the square root of what
it varies by, so that neither the few strong ones nor the many weak ones decide alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from extproc.detectors.coverage import CELLS
from extproc.detectors.grams import Grams
from extproc.detectors.reference import (
    DIMENSIONS,
    DOMAINS,
    TEXT,
    Domain,
    Reference,
    domain_name,
    fingerprint,
)
from extproc.detectors.space import NEAREST, Matrix, Space, standardised, unit
from extproc.detectors.subject_matter import subject_matter
from extproc.detectors.words import words
from extproc.draw import Draw
from extproc.errors import OperatorError

LEAST: Final = 500
"""Different queries of a domain from which anything is learned."""
_POINTS: Final = 6000
"""At most, of a domain."""
_RANKS: Final = 4500
_EARLIER: Final = _POINTS / (_POINTS + _RANKS)
"""The part of the queries that become points; later ones become ranks."""
_CELL: Final = 12
"""Points that a cell has on average, at least."""
_ROUNDS: Final = 20
_CROWD: Final = 0.3
"""How much of its own nearness to others is taken off that to a point."""
_AT_ONCE: Final = 256
_RARE: Final = 1e-4
"""Added to the mean square of each bucket: rare grams do not outweigh all others."""
_CONSTANT: Final = 1e-6
"""A standard deviation below which a number is a constant."""
_UNSEEN: Final = 0.1
"""How much of a text that no component shows counts, next to the least component."""
_LEAST_VARIANCE: Final = 1e-4
_FLAT: Final = 1e-9
"""A share of all variance below which a component has none."""


def fit(inputs: Iterable[Any], key: bytes, rng: np.random.Generator) -> Reference:
    """From inputs as dialects read them, JSON values, in the order in which they were asked; what
    is asked again counts once.

    Raise OperatorError where there is no domain of ``LEAST`` different ones.
    """
    found = {name: some for name, some in _domains(inputs).items() if len(some) >= LEAST}
    if not found:
        raise OperatorError(
            f"There is too little to learn from: give {LEAST} different queries at least, all of "
            "them texts, or rows of as many numbers."
        )
    most = sorted(found, key=lambda name: (-len(found[name]), name))[:DOMAINS]
    learned, secret = {}, Draw(key)
    for name in sorted(most):
        some = list(found[name].values())
        end = int(len(some) * _EARLIER)
        points = _rows(_some_of(some[:end], _POINTS, rng), secret)
        others = _rows(_some_of(some[end:], _RANKS, rng), secret)
        domain = _domain(points, CELLS // len(most), rng, text=name == TEXT)
        learned[name] = _ranked(domain, others)
    return Reference(fingerprint(secret), learned)


def _domains(inputs: Iterable[Any]) -> dict[str, dict[bytes, Any]]:
    """By their names, what is asked, each once."""
    found: dict[str, dict[bytes, Any]] = {}
    for each in inputs:
        matter = subject_matter(each)
        if isinstance(matter, str):
            written = words(matter)
            found.setdefault(domain_name(None), {})[written] = written
        elif matter is not None:
            rounded = matter.astype(np.float32)
            found.setdefault(domain_name(len(matter)), {})[rounded.tobytes()] = rounded
    return found


def _rows(some: Sequence[Any], key: Draw) -> Matrix:
    if not isinstance(some[0], bytes):
        return np.array(some, np.float32)
    grams = Grams(key)
    parts = [grams.of(some[at : at + _AT_ONCE]) for at in range(0, len(some), _AT_ONCE)]
    return np.concatenate(parts)


def _some_of(some: Sequence[Any], most: int, rng: np.random.Generator) -> Sequence[Any]:
    if len(some) <= most:
        return some
    return [some[at] for at in rng.choice(len(some), most, replace=False)]


def _domain(points: Matrix, cells: int, rng: np.random.Generator, *, text: bool) -> Domain:
    flat = _projected(points, text=text)
    sketches = Space(flat).sketches(points)
    return _celled(flat, sketches, _centres(sketches, min(cells, len(points) // _CELL), rng))


def _ranked(domain: Domain, others: Matrix) -> Domain:
    space = Space(domain)
    near = [
        space.nearness(each, space.probed(each))
        for each in np.array_split(space.sketches(others), len(others) // _AT_ONCE + 1)
    ]
    ranks = np.sort(np.concatenate(near)).astype("<f4")
    return msgspec.structs.replace(domain, ranks=ranks.tobytes())


def _projected(points: Matrix, *, text: bool) -> Domain:
    """A domain of no cells yet: one, and a point that stands for none."""
    shift, scale = _standard(points, text=text)
    weighed = standardised(points, shift, scale, text=text).astype(np.float64)
    mean = weighed.mean(0)
    variances, components = _components(weighed - mean)
    projection = (components / variances**0.25).astype("<f2")
    dimensions = projection.shape[1]
    pole = 0.0 if text else float(np.sqrt(np.sqrt(variances).sum()))
    unseen = _UNSEEN / float(np.sqrt(max(variances[-1], _LEAST_VARIANCE))) if text else 0.0
    width = dimensions + (pole > 0)
    return Domain(
        inputs=points.shape[1],
        dimensions=dimensions,
        pole=pole,
        shift=shift.tobytes(),
        scale=scale.tobytes(),
        projection=projection.tobytes(),
        offset=(mean @ projection.astype(np.float64)).astype("<f4").tobytes(),
        mean=mean.astype("<f4").tobytes(),
        spreads=np.sqrt(variances).astype("<f4").tobytes(),
        unseen=unseen,
        centres=np.zeros(width, "<f4").tobytes(),
        points=bytes(width),
        crowds=bytes(4),
        unit=1.0,
        sizes=(1,),
        ranks=np.zeros(1, "<f4").tobytes(),
    )


def _standard(points: Matrix, *, text: bool) -> tuple[Matrix, Matrix]:
    """What is taken off each number, and what it is multiplied by then."""
    if text:
        square = (unit(points) ** 2).mean(0, np.float64)
        shift, scale = np.zeros(len(square)), 1 / np.sqrt(square + _RARE)
    else:
        deviation = points.std(0, np.float64)
        shift = points.mean(0, np.float64)
        scale = 1 / np.where(deviation > _CONSTANT, deviation, 1)
    return shift.astype(np.float32), scale.astype(np.float32)


def _components(centred: Any) -> tuple[Any, Any]:
    """The largest variances and their directions, shapes (d,) and (inputs, d)."""
    few = len(centred) < centred.shape[1]  # then the products of rows are fewer than of columns
    products = centred @ centred.T if few else centred.T @ centred
    variances, vectors = np.linalg.eigh(products / len(centred))
    kept = np.flatnonzero(variances > _FLAT * variances.sum())[::-1][:DIMENSIONS]
    variances, vectors = variances[kept], vectors[:, kept]
    if few:
        vectors = centred.T @ vectors / np.sqrt(len(centred) * variances)
    return variances, vectors


def _centres(sketches: Matrix, cells: int, rng: np.random.Generator) -> Matrix:
    """Spherical k-means; shape (cells, width)."""
    centres = sketches[rng.choice(len(sketches), cells, replace=False)]
    for _ in range(_ROUNDS):
        nearest = (sketches @ centres.T).argmax(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sketches)
        empty = np.bincount(nearest, minlength=cells) == 0
        centres = np.where(empty[:, None], centres, unit(sums))
    return centres


def _celled(flat: Domain, sketches: Matrix, centres: Matrix) -> Domain:
    nearest = (sketches @ centres.T).argmax(1)
    order = np.argsort(nearest, kind="stable")
    largest = float(np.abs(sketches).max())
    points = np.rint(sketches[order] * (127 / largest)).astype(np.int8)
    return msgspec.structs.replace(
        flat,
        centres=centres.astype("<f4").tobytes(),
        points=points.tobytes(),
        unit=largest / 127,
        crowds=crowds(sketches[order]).astype("<f4").tobytes(),
        sizes=tuple(np.bincount(nearest, minlength=len(centres)).tolist()),
    )


def crowds(sketches: Matrix) -> Matrix:
    """A part of each one's mean cosine with those nearest to it; shape (sketches,).

    Some topics are asked about in few words, others in many: what is far from its neighbours among
    points that are far from each other is less of an outlier (after Breunig, Kriegel, Ng and
    Sander, "LOF: identifying density-based local outliers", SIGMOD 2000).
    """
    made = np.empty(len(sketches), np.float32)
    for start in range(0, len(sketches), _AT_ONCE):
        cosines = sketches[start : start + _AT_ONCE] @ sketches.T
        np.fill_diagonal(cosines[:, start:], -1)
        nearest = np.partition(cosines, -NEAREST, 1)[:, -NEAREST:]
        made[start : start + _AT_ONCE] = _CROWD * np.sort(nearest, 1).mean(1)
    return made
