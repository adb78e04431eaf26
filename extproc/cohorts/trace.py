"""What replicas tell each other of a caller, so that each finds the company it is in: its trails,
and where it was counted.

Rules.  Some hundred octets, and never more than ``MOST``.  What two say of one caller is joined, in
whatever order and however often.  What is read may have been written by anybody: what nobody keeps
is refused.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from extproc.cohorts import entry
from extproc.cohorts.entry import NOWHERE, Entry
from extproc.cohorts.trail import KINDS, PERIOD, PERIODS, PLACES, Rows, kept
from extproc.errors import Malformed

MOST: Final = 4096
"""Octets."""
_PLACES: Final = np.arange(PLACES)
_AHEAD: Final = 3600.0
"""Seconds that another replica's clock may be ahead."""


class Trace(Struct, frozen=True, array_like=True):
    trails: tuple[tuple[int, bytes], ...] = ()
    """Of each period, the earliest first, that which is kept in it; see ``packed``."""
    entry: Entry = NOWHERE


NO_TRACE: Final = Trace()


def packed(numbers: Rows) -> bytes:
    """The numbers of a trail, shape (PLACES,): a bit for each that is not 0, then these."""
    held = numbers != 0
    return bytes(np.packbits(held).tobytes() + numbers[held].astype("<u8").tobytes())


def unpacked(octets: bytes) -> Rows:
    """Raise Malformed where ``packed`` has not written it, or no trail holds such numbers."""
    head = PLACES // 8
    held = np.unpackbits(np.frombuffer(octets[:head], np.uint8)).astype(bool)
    if len(held) != PLACES or len(octets) != head + 8 * int(held.sum()):
        raise Malformed("A trail of another length.")
    numbers = np.zeros(PLACES, np.uint64)
    numbers[held] = np.frombuffer(octets[head:], "<u8")
    for first, end in KINDS:
        some = numbers[first:end]
        if not bool(((some[1:] > some[:-1]) | (some[:-1] == 0)).all()):
            raise Malformed("A trail that is not in order.")
    return numbers


def joined(one: Trace, other: Trace) -> Trace:
    """What both know, of the latest periods."""
    if NO_TRACE in (one, other):
        return other if one == NO_TRACE else one
    found = dict(one.trails)
    for period, octets in other.trails:
        known = found.get(period)
        found[period] = octets if known is None else _together(known, octets)
    return Trace(latest(found.items()), entry.joined(one.entry, other.entry))


def latest(trails: Iterable[tuple[int, bytes]]) -> tuple[tuple[int, bytes], ...]:
    return tuple(sorted(trails)[-PERIODS:])


def _together(one: bytes, other: bytes) -> bytes:
    left, right = unpacked(one), unpacked(other)
    found = left | right
    for first, end in KINDS:
        found[first:end] = kept(left[first:end], right[first:end])
    return packed(found)


def encode(trace: Trace) -> bytes:
    """Nothing where nothing is known, or it would be too long."""
    octets = msgspec.msgpack.encode(trace) if trace != NO_TRACE else b""
    return octets if len(octets) <= MOST else b""


def decode(octets: bytes, now: float) -> Trace:
    """Raise Malformed where nobody writes so at ``now``, in seconds since 1970."""
    if not octets:
        return NO_TRACE
    if len(octets) > MOST:
        raise Malformed("A trace that is too long.")
    try:
        found = msgspec.msgpack.decode(octets, type=Trace)
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed("A trace that cannot be read.") from error
    periods = [period for period, _ in found.trails]
    if periods != sorted(set(periods))[-PERIODS:] or not found.entry.possible():
        raise Malformed("A trace that nobody leaves.")
    if periods and not 0 <= periods[0] <= periods[-1] <= (now + _AHEAD) / PERIOD:
        raise Malformed("A trace of another time.")
    for _, octets_of_one in found.trails:
        unpacked(octets_of_one)
    return found
