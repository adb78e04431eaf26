import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc.canonical import at_once
from extproc.cohorts.components import SLICE, joined

RANKS = np.arange(50, dtype=np.uint64)
EDGES = st.lists(st.tuples(st.integers(0, 49), st.integers(0, 49)), min_size=1, max_size=60)


def members(
    links: list[tuple[int, int]], weights: list[float] | None = None, most: int = 1024
) -> set[frozenset[int]]:
    pairs = np.array(links, np.int64).reshape(-1, 2)
    told = np.array(weights if weights is not None else np.ones(len(links)))
    return {frozenset(each) for each in at_once(joined(pairs, told, RANKS, most)).values()}


@given(EDGES, st.randoms())
def test_the_same_links_make_the_same_cohorts_in_any_order(
    links: list[tuple[int, int]], chance: random.Random
) -> None:
    weights = [float((one * other) % 3) for one, other in links]
    before = members(links, weights, most=5)
    mixed = list(zip(links, weights, strict=True))
    chance.shuffle(mixed)
    assert members([link for link, _ in mixed], [told for _, told in mixed], most=5) == before
    assert all(1 < len(cohort) <= 5 for cohort in before)


def test_whoever_is_linked_to_one_is_linked_to_all() -> None:
    assert members([(1, 2), (2, 3), (7, 8)]) == {frozenset({1, 2, 3}), frozenset({7, 8})}


def test_the_heaviest_links_are_followed_where_a_cohort_would_be_too_large() -> None:
    assert members([(1, 2), (2, 3)], [0.6, 0.9], most=2) == {frozenset({2, 3})}


def test_no_links_make_no_cohorts() -> None:
    assert members([]) == set()


def test_links_are_followed_in_slices() -> None:
    pairs = np.tile([[1, 2]], (3 * SLICE, 1))
    assert sum(1 for _ in joined(pairs, np.ones(3 * SLICE), RANKS)) == 3 + 3
