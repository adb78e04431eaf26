import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc.cohorts.entry import Entry
from extproc.cohorts.trace import Trace
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.errors import Malformed
from extproc.escalation import Case
from extproc.stores.contribution import (
    NO_VERDICT,
    Contribution,
    Verdict,
    decode,
    encode,
    joined,
    tag,
    together,
)
from tests.server.detection.rig import DAY, NOW, Cells, Volume, layout

SIZE = 40
TRACE = Trace((), Entry.at(2, b"\1", ("g",), "user"))
VERDICT = Verdict("acme", "key:1", "POST /x", Case(0.9, 1, NOW, NOW + 60, 3.0, "frozen"), NOW)


def counted(*values: float, asked: int = 0, **given: object) -> Contribution:
    counters = np.zeros(SIZE, np.float32)
    counters[: len(values)] = values
    bits = np.zeros(8 * ASKED, np.uint8)
    bits[:asked] = 1
    known = {"time": NOW, "first": NOW - 5, "last": NOW, "queries": 3.0, **given}
    return Contribution(counters, np.packbits(bits, bitorder="little"), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [(), (0.0, 1.5), tuple(range(1, SIZE + 1))])
@pytest.mark.parametrize("asked", [0, 3, 8 * ASKED])
@pytest.mark.parametrize("verdict", [NO_VERDICT, VERDICT])
def test_what_is_written_is_read(values: tuple[float, ...], asked: int, verdict: Verdict) -> None:
    made = counted(*values, asked=asked, verdict=verdict, trace=TRACE)
    found = decode(encode(made, 7), 7, SIZE, NOW)
    assert np.array_equal(found.counters, made.counters)
    assert np.array_equal(found.asked, made.asked)
    assert (found.time, found.first, found.last, found.queries) == (NOW, NOW - 5, NOW, 3)
    assert (found.verdict, found.trace) == (verdict, TRACE)
    found.counters[0] += 1
    found.asked[0] = 1


def test_little_takes_little_room() -> None:
    wide = np.zeros(740, np.float32)
    wide[:30] = 1
    bits = np.zeros(ASKED, np.uint8)
    bits[:20] = 1
    few = Contribution(wide, bits, NOW, NOW, NOW, 20)
    assert len(encode(few, 1)) < 300
    most = replace(few, counters=np.ones(740, np.float32), asked=np.full(ASKED, 255, np.uint8))
    assert len(encode(most, 1)) < 4096 + 64


def _broken(**changes: object) -> bytes:
    return encode(replace(counted(1.0, 2.0, asked=3), **changes), 7)


_FINE = encode(counted(1.0, 2.0, asked=3), 7)
_HEAD = struct.calcsize("<BIdddfHHHH")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        _FINE[:-1],
        _FINE + b"x",
        b"\x01" + _FINE[1:],
        encode(counted(1.0), 8),
        _broken(counters=np.array([math.nan] + [0] * (SIZE - 1), np.float32)),
        _broken(counters=np.array([-1.0] + [0] * (SIZE - 1), np.float32)),
        _broken(counters=np.array([math.inf] + [0] * (SIZE - 1), np.float32)),
        _broken(counters=np.full(SIZE, math.nan, np.float32)),
        _broken(counters=np.ones(SIZE + 1, np.float32)),
        _broken(counters=np.array([0.0] * SIZE + [1.0], np.float32)),
        _broken(time=NOW + DAY),
        _broken(time=math.nan),
        _broken(first=-1.0),
        _broken(last=math.inf),
        _broken(queries=math.nan),
        _broken(queries=-1.0),
        _FINE[:_HEAD] + b"\1\0\0\0" + _FINE[_HEAD + 4 :],
        _FINE[:-2] + b"\xff\xff",
        _broken(verdict=replace(VERDICT, said=math.nan)),
        _broken(verdict=replace(VERDICT, case=Case(step=1000))),
        _broken(verdict=replace(VERDICT, case=Case(suspicion=2.0))),
        _broken(verdict=replace(VERDICT, case=Case(until=-1.0))),
        _broken(verdict=replace(VERDICT, case=Case(ends=-1.0))),
        _broken(verdict=replace(VERDICT, tenant="x" * 1000)),
        _FINE[: _HEAD - 4] + b"\1\0\0\0" + _FINE[_HEAD:] + b"\xc1",
        _FINE[: _HEAD - 4] + b"\1\0\0\0" + _FINE[_HEAD:] + b"\x01",
        _FINE[: _HEAD - 2] + b"\1\0" + _FINE[_HEAD:] + b"\xc1",
        _FINE[: _HEAD - 2] + b"\1\0" + _FINE[_HEAD:] + b"\x01",
    ],
)
def test_what_nobody_counts_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decode(octets, 7, SIZE, NOW)


@given(st.binary(max_size=200), st.integers(0, len(_FINE)))
@settings(max_examples=200)
def test_whatever_is_read_is_refused_or_can_be_counted(noise: bytes, place: int) -> None:
    for octets in (noise, _FINE[:place] + noise + _FINE[place + len(noise) :]):
        try:
            found = decode(octets, 7, SIZE, NOW)
        except Malformed:
            continue
        assert np.isfinite(found.counters).all()
        assert (found.counters >= 0).all()
        assert found.counters.shape == (SIZE,)
        assert found.asked.shape == (ASKED,)


def test_detectors_that_do_not_count_alike_have_other_tags() -> None:
    tags = {tag(each) for each in (layout(), Layout((Volume(), Cells())), Layout((Cells(),)))}
    assert len(tags) == 3
    assert tag(layout()) == tag(layout())


def test_what_several_counted_is_as_of_the_latest_time() -> None:
    one = counted(4.0, asked=1, time=NOW - DAY, first=NOW - 2 * DAY)
    other = counted(1.0, 2.0, asked=2, queries=4.0)
    whole = together([one, other], Decay(DAY))
    assert whole.counters[:2].tolist() == [3.0, 2.0]
    assert (whole.time, whole.first, whole.last, whole.queries) == (NOW, NOW - 2 * DAY, NOW, 7)
    assert whole.asked[0] == 3


CASES = st.builds(
    Verdict,
    case=st.builds(
        Case,
        suspicion=st.sampled_from([0.0, 0.5]),
        step=st.integers(-1, 2),
        since=st.sampled_from([1.0, 2.0, 3.0]),
        until=st.sampled_from([4.0, 5.0]),
        spent=st.sampled_from([0.0, 2.0]),
        override=st.sampled_from(["", "trusted", "frozen"]),
    ),
    said=st.sampled_from([0.0, 2.0, 3.0]),
)


@given(CASES, CASES, CASES)
@settings(max_examples=200)
def test_in_whatever_order_replicas_hear_of_each_other_they_agree(
    one: Verdict, other: Verdict, third: Verdict
) -> None:
    assert joined(one, other) == joined(other, one)
    assert joined(one, one) == one or one.case.step < 0
    assert joined(joined(one, other), third) == joined(one, joined(other, third))


def test_a_lower_step_that_began_after_an_operators_word_is_not_lost_to_a_higher_one_before() -> (
    None
):
    before = Verdict(case=Case(step=2, since=3.0, until=50.0))
    forgiven = Verdict(said=5.0)
    after = Verdict(case=Case(step=1, since=6.0, until=60.0))
    both = joined(before, after)
    assert both.case == before.case
    assert joined(both, forgiven).case == joined(joined(before, forgiven), after).case == after.case


def test_what_an_operator_said_last_holds() -> None:
    earlier = Verdict(case=Case(override="frozen"), said=5.0)
    later = Verdict(case=Case(override="trusted", ends=9.0), said=6.0)
    assert (joined(earlier, later).case.override, joined(earlier, later).case.ends) == (
        "trusted",
        9,
    )


def test_the_highest_step_holds_for_longest() -> None:
    low = Verdict(case=Case(step=0, since=1.0, until=90.0))
    high = Verdict(case=Case(step=2, since=2.0, until=50.0))
    longer = Verdict(case=Case(step=2, since=3.0, until=60.0))
    assert joined(low, high).case == high.case
    assert joined(high, longer).case == longer.case


def test_who_was_forgiven_stands_on_no_step_from_before() -> None:
    before = Verdict(case=Case(step=1, since=4.0, until=50.0))
    forgiven = Verdict(case=Case(spent=9.0), said=5.0)
    after = Verdict(case=Case(step=0, since=6.0, until=60.0))
    assert joined(before, forgiven).case.step == -1
    assert joined(after, forgiven).case.step == 0
