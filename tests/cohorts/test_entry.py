from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.entry import GROUPS, LONGEST, NOWHERE, Entry, joined
from extproc.cohorts.excess import BINS
from extproc.cohorts.usual import CHECKPOINTS

ENTRIES = st.builds(
    lambda at, bins, groups: Entry.at(at, bytes(bins), tuple(groups), "user"),
    st.integers(0, len(CHECKPOINTS) - 1),
    st.lists(st.integers(0, BINS - 1), min_size=3, max_size=3),
    st.lists(st.sampled_from("abc"), max_size=3),
)


def test_where_it_was_counted_and_how_is_told() -> None:
    entry = Entry.at(2, b"\1\2", ("g",), "user")
    assert (entry.detectors, entry.last, list(entry.checkpoints())) == (2, 2, [2])
    assert entry.bins(2) == b"\1\2"
    assert [entry.has(at) for at in range(4)] == [False, False, True, False]
    assert (NOWHERE.last, NOWHERE.has(0), list(NOWHERE.checkpoints())) == (-1, False, [])


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_what_replicas_say_is_joined_in_any_order_and_however_often(each: list[Entry]) -> None:
    found = {reduce(joined, order) for order in permutations(each)}
    assert len(found) == 1
    whole = found.pop()
    assert all(joined(whole, one) == whole == joined(one, whole) for one in each)
    assert set(whole.checkpoints()) == {one.last for one in each}


def test_of_two_classes_the_one_that_was_counted_later_stands() -> None:
    one, other = (Entry.at(at, b"\1", (), traffic) for at, traffic in ((1, "a"), (2, "b")))
    assert joined(one, other) == joined(other, one) == other
    assert joined(one, NOWHERE) == one


@pytest.mark.parametrize(
    "entry",
    [
        Entry(ranks=b"\1" * (len(CHECKPOINTS) + 1)),
        Entry(ranks=bytes([BINS]) * len(CHECKPOINTS)),
        Entry(ranks=bytes([1, 255]) * len(CHECKPOINTS)),
        Entry(ranks=b"\1" * 17 * len(CHECKPOINTS)),
        Entry(groups=("g",) * (GROUPS + 1)),
        Entry(groups=("g" * (LONGEST + 1),)),
        Entry(traffic="t" * (LONGEST + 1)),
    ],
)
def test_what_nobody_counts_is_told_apart(entry: Entry) -> None:
    assert not entry.possible()
    assert NOWHERE.possible()
    assert Entry.at(7, b"\0\1", ("g",), "user").possible()
