"""What benign queries look like: what ``extproc calibrate`` learns of them, as it is stored.

Rule: nothing of it is believed before its sizes and values have been checked.  It holds no text:
sketches of queries, in buckets that only the key knows.
"""

import math
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from extproc.detectors.coverage import CELLS
from extproc.detectors.grams import BUCKETS
from extproc.detectors.observation import EXCERPT
from extproc.draw import Draw
from extproc.errors import Malformed

MOST: Final = 64 << 20
"""Octets of a stored reference."""
DOMAINS: Final = 8
DIMENSIONS: Final = 160
"""Of a sketch, at most."""
POINTS: Final = 1 << 14
"""Queries of a domain that are kept, at most; as many ranks."""
TEXT: Final = "text"
_LARGEST: Final = 1e30
_STEEPEST: Final = 1e7
"""What a number is multiplied by, at most: the product of both is a float32."""


class Domain(Struct, frozen=True):
    """One kind of input, as ``fit`` learned it.  Arrays are in row order, little-endian."""

    inputs: int
    """Numbers of an input; of a text, the buckets of its grams."""
    dimensions: int
    """Of its sketch."""
    pole: float
    """A further number of each sketch before it gets the length 1, so that how large numbers are
    shows in their direction; 0 where there is none."""
    shift: bytes
    """What is taken off each input; float32."""
    scale: bytes
    """What it is multiplied by then; float32."""
    projection: bytes
    """What makes a sketch of that, shape (inputs, dimensions); float16."""
    offset: bytes
    """What is taken off the sketch; float32."""
    mean: bytes
    """What is projected, on average; float32."""
    spreads: bytes
    """What a sketch's squares are multiplied by to tell how much of that it shows; float32."""
    unseen: float
    """What the square of the rest is multiplied by; see ``Space.sketches``."""
    centres: bytes
    """Of its cells, shape (cells, width), of length 1; float32.  A width is the dimensions, and the
    pole."""
    points: bytes
    """Sketches of reference queries, cell by cell, shape (points, width); int8."""
    unit: float
    """What they are to be multiplied by."""
    crowds: bytes
    """What is taken off the cosine with each of them; float32.  See ``crowds`` in fitting.py."""
    sizes: tuple[int, ...]
    """How many of the points each cell has."""
    ranks: bytes
    """How near later queries are to the points, in ascending order; float32."""

    @property
    def width(self) -> int:
        return self.dimensions + (self.pole > 0)

    @property
    def shares(self) -> list[float]:
        """How often each cell is asked about, as far as that is known."""
        total = sum(self.sizes) + len(self.sizes)
        return [(size + 1) / total for size in self.sizes]


class Reference(Struct, frozen=True):
    key: bytes
    """Tells whether a key is the one that its grams are hashed by."""
    domains: dict[str, Domain]
    """By ``text``, or ``numbers/`` and how many of them an input has."""

    @property
    def shares(self) -> list[list[float]]:
        """How often each cell is asked about, domain by domain, as cells are numbered."""
        return [domain.shares for domain in self.domains.values()]


def domain_name(numbers: int | None) -> str:
    """Of inputs of so many numbers, None for texts."""
    return TEXT if numbers is None else f"numbers/{numbers}"


def fingerprint(key: Draw) -> bytes:
    return key.child(b"reference").octets(16)


def encode(reference: Reference) -> bytes:
    return msgspec.msgpack.encode(reference)


def decode(octets: bytes) -> Reference:
    """Raise Malformed where it is no reference."""
    if len(octets) > MOST:
        raise Malformed(f"A reference has {MOST >> 20} MiB at most.")
    try:
        reference = msgspec.msgpack.decode(octets, type=Reference)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed("This is no reference, or not all of it.") from error
    check(reference)
    return reference


def check(reference: Reference) -> None:
    """Raise Malformed where sizes and values do not fit together."""
    if not 0 < len(reference.domains) <= DOMAINS:
        raise Malformed(f"A reference has 1 to {DOMAINS} domains.")
    for name, domain in reference.domains.items():
        if not (_sized(name, domain) and _filled(domain)):
            raise Malformed("The sizes or values of a domain of the reference do not fit together.")
    if sum(len(domain.sizes) for domain in reference.domains.values()) > CELLS:
        raise Malformed(f"A reference has {CELLS} cells at most.")


def _sized(name: str, domain: Domain) -> bool:
    cells, points = len(domain.sizes), sum(domain.sizes)
    known = name == domain_name(domain.inputs) and 0 < domain.inputs <= EXCERPT
    return (
        (known or (name == TEXT and domain.inputs == BUCKETS))
        and 0 < domain.dimensions <= DIMENSIONS
        and 0 < cells <= CELLS
        and min(domain.sizes) >= 0
        and 0 < points <= POINTS
        and len(domain.shift) == len(domain.scale) == 4 * domain.inputs
        and len(domain.projection) == 2 * domain.inputs * domain.dimensions
        and len(domain.offset) == len(domain.spreads) == 4 * domain.dimensions
        and len(domain.mean) == 4 * domain.inputs
        and len(domain.centres) == 4 * cells * domain.width
        and len(domain.points) == points * domain.width
        and len(domain.crowds) == 4 * points
        and 0 < len(domain.ranks) <= 4 * POINTS
        and len(domain.ranks) % 4 == 0
    )


def _filled(domain: Domain) -> bool:
    """Whether its numbers are such that nothing overflows, and its ranks in order."""
    if not (0 <= domain.pole < _LARGEST and 0 < domain.unit <= 1 and 0 <= domain.unseen <= 1e3):
        return False
    ranks = np.frombuffer(domain.ranks, "<f4")
    modest = all(
        _below(values, kind, most)
        for values, kind, most in (
            (domain.shift, "<f4", _LARGEST),
            (domain.scale, "<f4", _STEEPEST),
            (domain.projection, "<f2", math.inf),
            (domain.offset, "<f4", _STEEPEST),
            (domain.mean, "<f4", _STEEPEST),
            (domain.spreads, "<f4", _STEEPEST),
            (domain.centres, "<f4", 2.0),
            (domain.crowds, "<f4", 1.0),
            (domain.ranks, "<f4", 2.0),
        )
    )
    return modest and bool((np.diff(ranks) >= 0).all())


def _below(octets: bytes, kind: str, most: float) -> bool:
    return bool((np.abs(np.frombuffer(octets, kind)) < most).all())
