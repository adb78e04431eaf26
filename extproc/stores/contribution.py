"""What one replica has counted of a subject, as octets: small where little was asked.

Rule: what is read may have been written by anybody: what is not exactly as ``encode`` writes it,
of the same detectors, is refused, and so are numbers that nobody counts.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from extproc.cohorts import trace
from extproc.cohorts.trace import NO_TRACE, Trace
from extproc.detectors.detector import Counters
from extproc.detectors.profile import ASKED, Asked, Decay, Layout
from extproc.errors import Malformed
from extproc.escalation import NOBODY, Case

_HEAD: Final = struct.Struct("<BIdddfHHHH")
"""Version, layout, time, first, last, queries, how many counters, bits, and octets of the case and
of the trace."""
_VERSION: Final = 2
_ALL: Final = 0xFFFF
"""In place of how many: all are there."""
_LARGEST: Final = 1e12
_AHEAD: Final = 3600.0
"""Seconds that another replica's clock may be ahead."""
_NAME: Final = 512
_CASE: Final = 4096
_STEPS: Final = 64


class Verdict(Struct, frozen=True, array_like=True):
    """A case, for other replicas."""

    tenant: str = ""
    principal: str = ""
    route: str = ""
    case: Case = Case()
    said: float = 0.0
    """When an operator said something of it, in seconds since 1970."""
    also: tuple[Case, ...] = ()
    """Lower steps that it was put on later: what holds where an operator's word, between the two,
    ends the higher one."""


NO_VERDICT: Final = Verdict()


class Contribution(Struct, frozen=True, eq=False):
    counters: Counters
    """As of ``time``."""
    asked: Asked
    time: float
    """In seconds since 1970, as the next two are."""
    first: float
    last: float
    queries: float
    verdict: Verdict = NO_VERDICT
    trace: Trace = NO_TRACE
    """What links it to others."""


def together(parts: Sequence[Contribution], decay: Decay) -> Contribution:
    """What several have counted, as of the latest of their times."""
    time = max(part.time for part in parts)
    counters = np.zeros_like(parts[0].counters)
    for part in parts:
        counters += part.counters * np.float32(decay.factor(time - part.time))
    return Contribution(
        counters,
        np.bitwise_or.reduce([part.asked for part in parts]),
        time,
        min(part.first for part in parts),
        max(part.last for part in parts),
        sum(part.queries for part in parts),
        reduce(joined, (part.verdict for part in parts)),
        reduce(trace.joined, (part.trace for part in parts)),
    )


def joined(one: Verdict, other: Verdict) -> Verdict:
    """What holds where two replicas say something of a case: what an operator said last, and of the
    steps that somebody was put on since then the highest, for longest.
    """
    later = max(one, other, key=_when)
    on, *also = _frontier([*_steps(one, later), *_steps(other, later)]) or [NOBODY]
    case = replace(
        on,
        suspicion=max(one.case.suspicion, other.case.suspicion),
        spent=max(one.case.spent, other.case.spent),
        override=later.case.override,
        ends=later.case.ends,
        lost=max(one.case.lost, other.case.lost),
    )
    names = max((one, other), key=lambda each: (each.route, each.tenant, each.principal))
    return replace(names, case=case, said=later.said, also=tuple(also))


def _when(verdict: Verdict) -> tuple[float, str, float]:
    return verdict.said, verdict.case.override, verdict.case.ends


def _steps(verdict: Verdict, later: Verdict) -> Iterator[Case]:
    """Those that an operator's last word has not ended, and nothing else of the case."""
    for each in (verdict.case, *verdict.also):
        if each.step >= 0 and (verdict.said == later.said or each.since > later.said):
            yield Case(step=each.step, since=each.since, until=each.until, reached=each.reached)


def _frontier(steps: list[Case]) -> list[Case]:
    """The highest, and of lower ones those that were begun after all that are higher."""
    found: list[Case] = []
    for each in sorted(steps, key=_how_far, reverse=True):
        if not found or each.since > found[-1].since:
            found.append(each)
    return found


def _how_far(case: Case) -> tuple[int, float, float, float]:
    return case.step, case.until, case.since, case.reached


def tag(layout: Layout) -> int:
    """Tells detectors apart that do not count alike."""
    parts = [(name, part.start, part.stop) for name, part in layout.parts.items()]
    return zlib.crc32(repr(parts).encode())


def encode(contribution: Contribution, layout: int) -> bytes:
    """At most 13 KiB, of at most 740 counters."""
    numbers, count = _numbers(contribution.counters)
    bits, marked = _bits(contribution.asked)
    verdict = contribution.verdict
    case = b"" if verdict == NO_VERDICT else msgspec.msgpack.encode(verdict)
    company = trace.encode(contribution.trace)
    head = _HEAD.pack(
        _VERSION,
        layout,
        contribution.time,
        contribution.first,
        contribution.last,
        contribution.queries,
        count,
        marked,
        len(case),
        len(company),
    )
    return b"".join((head, numbers, bits, case, company))


def decode(octets: bytes, layout: int, size: int, now: float) -> Contribution:
    """Of so many counters.  Raise Malformed where it is none, or of other detectors."""
    if len(octets) < _HEAD.size:
        raise Malformed("It ends too soon.")
    version, of, time, first, last, queries, count, marked, case, company = _HEAD.unpack_from(
        octets
    )
    if version != _VERSION or of != layout:
        raise Malformed("It is of other detectors.")
    _require(all(0 <= each <= now + _AHEAD for each in (time, first, last)))
    _require(0 <= queries < math.inf)
    numbers = 4 * size if count == _ALL else 6 * count
    bits = ASKED if marked == _ALL else 2 * marked
    _require(len(octets) == _HEAD.size + numbers + bits + case + company and case <= _CASE)
    rest, known = memoryview(octets)[_HEAD.size :], numbers + bits + case
    return Contribution(
        _counters(rest[:numbers], count, size),
        _asked(rest[numbers : numbers + bits], marked),
        time,
        first,
        last,
        queries,
        _verdict(rest[numbers + bits : known]),
        trace.decode(bytes(rest[known:]), now),
    )


def _numbers(counters: Counters) -> tuple[bytes, int]:
    places = np.flatnonzero(counters)
    if 6 * len(places) >= 4 * len(counters):
        return counters.astype("<f4").tobytes(), _ALL
    return places.astype("<u2").tobytes() + counters[places].astype("<f4").tobytes(), len(places)


def _counters(octets: memoryview, count: int, size: int) -> Counters:
    if count == _ALL:
        counters = np.frombuffer(octets, "<f4").astype(np.float32)
    else:
        places = np.frombuffer(octets[: 2 * count], "<u2")
        _require(bool((np.diff(places.astype(np.int32)) > 0).all()))
        _require(not count or int(places[-1]) < size)
        counters = np.zeros(size, np.float32)
        counters[places] = np.frombuffer(octets[2 * count :], "<f4")
    # Not so of what is no number, either.
    _require(bool(((counters >= 0) & (counters <= _LARGEST)).all()))
    return counters


def _bits(asked: Asked) -> tuple[bytes, int]:
    places = np.flatnonzero(np.unpackbits(asked, bitorder="little"))
    if 2 * len(places) >= ASKED:
        return asked.tobytes(), _ALL
    return places.astype("<u2").tobytes(), len(places)


def _asked(octets: memoryview, marked: int) -> Asked:
    if marked == _ALL:
        return np.frombuffer(octets, np.uint8).copy()
    places: npt.NDArray[Any] = np.frombuffer(octets, "<u2")
    _require(not marked or int(places.max()) < 8 * ASKED)
    bits = np.zeros(8 * ASKED, np.uint8)
    bits[places] = 1
    return np.packbits(bits, bitorder="little")


def _verdict(octets: memoryview) -> Verdict:
    if not octets:
        return NO_VERDICT
    try:
        found = msgspec.msgpack.decode(octets, type=Verdict)
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed("Its case cannot be read.") from error
    _require(0 <= found.said < math.inf and len(found.also) <= _STEPS)
    for each in (found.case, *found.also):
        numbers = (each.suspicion, each.since, each.until, each.spent, each.reached, each.lost)
        _require(all(0 <= number < math.inf for number in (*numbers, each.ends)))
        _require(-1 <= each.step < _STEPS and each.suspicion <= 1)
    _require(all(len(name) <= _NAME for name in (found.tenant, found.principal, found.route)))
    return found


def _require(condition: object) -> None:
    if not condition:
        raise Malformed("It holds what nobody counts.")
