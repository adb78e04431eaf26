from functools import reduce
from itertools import permutations

import msgspec
import numpy as np
import pytest

from extproc.cohorts.entry import Entry
from extproc.cohorts.trace import MOST, NO_TRACE, Trace, decode, encode, joined, packed, unpacked
from extproc.cohorts.trail import PERIOD, PLACES, PROBES, Rows, Trails
from extproc.errors import Malformed
from tests.cohorts.made_up import KEY, START, some

NOW = int(START // PERIOD)
ENTRY = Entry.at(1, b"\3\4", ("new day 1 user",), "user")


def trail(seed: int, probes: int) -> Rows:
    trails = Trails(4, KEY)
    network, client = some(seed, 2)
    trails.add("a", 70 * (seed % 5), network, client, some(seed + 1, probes))
    found = trails.of("a")
    assert found is not None
    return found[0]


def trace(seed: int, probes: int = 5, period: int = NOW) -> Trace:
    return Trace(((period, packed(trail(seed, probes))),), ENTRY)


@pytest.mark.parametrize("probes", [0, 1, 18, 40])
def test_what_is_written_is_read(probes: int) -> None:
    numbers = trail(3, probes)
    assert np.array_equal(unpacked(packed(numbers)), numbers)
    assert decode(encode(trace(3, probes)), START) == trace(3, probes)
    assert (encode(NO_TRACE), decode(b"", START)) == (b"", NO_TRACE)


def test_a_key_of_ten_queries_takes_little_room() -> None:
    assert len(encode(trace(3, 10))) < 180


def test_what_would_be_too_long_is_not_told() -> None:
    assert encode(Trace((), Entry(tuple("x" * 380 for _ in range(12))))) == b""


def test_what_replicas_know_is_joined_in_any_order_and_however_often() -> None:
    each = [trace(1), trace(2, 30), trace(3, period=NOW - 1), trace(4, period=NOW - 2), NO_TRACE]
    found = {reduce(joined, order) for order in permutations(each)}
    assert len(found) == 1
    whole = found.pop()
    assert [period for period, _ in whole.trails] == [NOW - 1, NOW]
    assert joined(whole, whole) == whole


def test_a_trail_of_both_is_what_one_replica_would_have_kept() -> None:
    alone, one, other = (Trails(4, KEY) for _ in range(3))
    for number, probe in enumerate(some(7, 40)):
        alone.add("a", number, number, 5, [probe])
        (one, other)[number % 2].add("a", number, number, 5, [probe])
    heard = other.of("a")
    assert heard is not None
    one.hear("a", heard[0])
    one.hear("a", heard[0])
    left, right = one.of("a"), alone.of("a")
    assert left is not None
    assert right is not None
    assert np.array_equal(left[0], right[0])


def unsorted() -> bytes:
    numbers = trail(3, 18).copy()
    numbers[PROBES[0] : PROBES[1]] = numbers[PROBES[0] : PROBES[1]][::-1]
    return packed(numbers)


def twice() -> bytes:
    numbers = np.zeros(PLACES, np.uint64)
    numbers[PROBES[1] - 2 : PROBES[1]] = 5
    return packed(numbers)


@pytest.mark.parametrize(
    "octets",
    [
        b"\xc1",
        b"x" * (MOST + 1),
        encode(trace(1, period=NOW + 1)),
        encode(trace(1, period=-1)),
        encode(Trace(((NOW, packed(trail(1, 3))), (NOW - 1, packed(trail(1, 3)))))),
        encode(Trace(tuple((NOW - 2 + n, packed(trail(1, 3))) for n in range(3)))),
        encode(Trace(((NOW, packed(trail(1, 3))[:-1]),))),
        encode(Trace(((NOW, b""),))),
        encode(Trace(((NOW, unsorted()),))),
        encode(Trace(((NOW, twice()),))),
        encode(Trace((), Entry(ranks=b"\1"))),
        msgspec.msgpack.encode([[["x", 1]], []]),
        encode(trace(1)) + b"x",
    ],
)
def test_what_nobody_leaves_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decode(octets, START)
