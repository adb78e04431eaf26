"""Which line serves what: later parts share no client, and their inputs were not fitted to."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.calibration.parts import (
    GROWN,
    LEARNT,
    SET,
    TRIED,
    Index,
    drawn,
    parts,
    set_aside,
    unseen,
)


def _index(lines: int, clients: int, inputs: int, seed: int) -> Index:
    rng = np.random.default_rng(seed)
    return Index(
        times=rng.uniform(0, 1e6, lines),
        clients=rng.integers(0, clients, lines).astype(np.uint32),
        classes=np.zeros(lines, np.uint8),
        digests=rng.integers(0, inputs, lines).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15),
    )


@settings(max_examples=30)
@given(st.integers(4, 300), st.integers(1, 40), st.integers(0, 9))
def test_a_part_is_later_than_the_one_before(lines: int, clients: int, seed: int) -> None:
    index = _index(lines, clients, 50, seed)
    found = parts(index)
    ends = [index.times[found == part] for part in (LEARNT, SET, TRIED)]
    for earlier, later in pairwise(ends):
        if len(earlier) and len(later):
            assert earlier.max() < later.min()


@settings(max_examples=30)
@given(st.integers(4, 300), st.integers(1, 40), st.integers(0, 9))
def test_nobody_is_tried_who_helped_to_set_a_threshold(lines: int, clients: int, seed: int) -> None:
    index = _index(lines, clients, 50, seed)
    found = parts(index)
    assert not set(index.clients[found == SET]) & set(index.clients[found == TRIED])


def test_about_as_many_as_they_should_be() -> None:
    index = _index(10_000, 9_000, 50, 0)
    found = parts(index)
    assert (found == LEARNT).sum() == 5000
    assert (found == -1).mean() < 0.15


@settings(max_examples=30)
@given(st.integers(4, 300), st.integers(1, 60), st.integers(0, 9))
def test_what_is_unseen_stands_in_no_earlier_part(lines: int, inputs: int, seed: int) -> None:
    index = _index(lines, 10, inputs, seed)
    found = set_aside(index, parts(index), 1, 1)
    fresh = unseen(index, found)
    for part in (SET, TRIED):
        earlier = set(index.digests[(found >= 0) & (found < part)])
        assert {*index.digests[(found == part) & fresh]}.isdisjoint(earlier)
        assert {*index.digests[(found == part) & ~fresh]} <= earlier


@settings(max_examples=30)
@given(st.integers(4, 300), st.integers(1, 80), st.integers(0, 9))
def test_who_grows_the_forest_neither_sets_nor_tries_a_threshold(
    lines: int, clients: int, seed: int
) -> None:
    # Planted: setting aside every fourth line, in place of every fourth client, fails here.
    index = _index(lines, clients, 50, seed)
    before = parts(index)
    found = set_aside(index, before, 1, 1)
    whose = {part: set(index.clients[found == part].tolist()) for part in (GROWN, SET, TRIED)}
    assert not whose[GROWN] & (whose[SET] | whose[TRIED])
    assert len(whose[GROWN]) == (len(whose[GROWN]) + len(whose[SET])) // 4
    np.testing.assert_array_equal(np.where(found == GROWN, SET, found), before)


def test_nobody_is_set_aside_for_a_forest_that_would_be_of_too_few() -> None:
    index = _index(4_000, 400, 50, 5)
    found = parts(index)
    many = len(np.unique(index.clients[found == SET]))
    assert set_aside(index, found, many // 4, 1) is not found
    assert set_aside(index, found, many // 4 + 1, 1) is found
    assert set_aside(index, found, 1, 1000) is found, "none of them has so many lines"


def test_a_log_serves_thresholds_from_its_first_line() -> None:
    index = _index(1000, 900, 50, 6)
    found = parts(index, (0.0, 0.5))
    assert LEARNT not in found
    assert (index.times[found == SET].max() < index.times[found == TRIED].min()).all()
    assert 350 < (found == SET).sum() <= 500


def test_each_input_is_drawn_once_and_no_client_gives_much_of_them() -> None:
    index = _index(5_000, 100, 4_000, 3)
    index.clients[:3000] = 7  # one that asks most
    lines = np.ones(5_000, np.bool_)
    taken = drawn(index, lines, 1000)
    assert len(taken) == len(np.unique(index.digests[taken])) == 1000
    assert np.bincount(index.clients[taken]).max() <= 20
    assert (drawn(index, lines, 1000) == taken).all()


@pytest.mark.parametrize("clients", [1, 3])
def test_few_clients_may_give_all(clients: int) -> None:
    index = _index(500, clients, 10_000, 1)
    assert len(drawn(index, np.ones(500, np.bool_), 300)) > 250
