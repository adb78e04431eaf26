import random

import numpy as np
import pytest

from extproc.canonical import at_once
from extproc.cohorts import sharing as module
from extproc.cohorts.sharing import NEXT, PAIRS, PARTS, shared
from extproc.cohorts.trail import Trails
from tests.cohorts.made_up import snapshot, some


def test_who_has_a_digest_in_common_is_paired_and_its_rarity_is_known() -> None:
    one, other = some(1, 2)
    found = snapshot(
        (f"s{number}", 0, one if number < 3 else other if number == 3 else 0, 0, ())
        for number in range(21)
    )
    told = at_once(shared(found, 0))
    assert {tuple(pair) for pair in told.pairs.tolist()} == {(0, 1), (0, 2), (1, 2)}
    assert np.allclose(told.shares.max(axis=1)[:5], [0.1, 0.1, 0.1, 0.0, 0.0])


def test_what_more_than_a_quarter_has_is_ignored() -> None:
    [digest] = some(2, 1)
    for having, pairs in ((25, True), (26, False)):
        found = snapshot((f"s{n}", 0, 0, digest if n < having else 0, ()) for n in range(100))
        told = at_once(shared(found, 1))
        assert bool(len(told.pairs)) is pairs
        assert bool(told.shares.any()) is pairs


def test_pairs_are_few_and_connect_all() -> None:
    [digest] = some(3, 1)
    found = snapshot((f"s{n}", 0, digest if n < 200 else 0, 0, ()) for n in range(1000))
    told = at_once(shared(found, 0))
    assert len(told.pairs) <= 200 * NEXT
    reached, grown = {0}, True
    while grown:
        more = {end for pair in told.pairs.tolist() if reached & set(pair) for end in pair}
        grown, reached = not more <= reached, reached | more
    assert len(reached) == 200


def test_those_who_share_two_things_are_paired_though_many_share_one() -> None:
    network, client, *others = some(4, 602)
    found = snapshot(
        (f"s{n}", 0, network if n < 500 else 0, client if n % 50 == 0 else others[n % 600], ())
        for n in range(2000)
    )
    told = at_once(shared(found, 0))
    both = [pair for pair in told.pairs.tolist() if all(each % 50 == 0 for each in pair)]
    assert len(both) == 10 * 9 / 2 - 1, "eight next of each of ten"


def test_of_too_many_pairs_those_of_the_rarest_are_looked_at() -> None:
    first = 1 << 63
    found = snapshot((f"s{n}", 0, first + n // 2, 0, ()) for n in range(6000))
    crowd = snapshot((f"s{n}", 0, first + n // 2, 0, ()) for n in range(3000, 3400))
    assert len(at_once(shared(found, 0)).pairs) <= PAIRS
    assert len(at_once(shared(crowd, 0)).pairs) == 200


def test_the_order_of_subjects_does_not_matter() -> None:
    chance = random.Random(5)
    subjects = [
        (f"s{n}", 0, some(n % 30, 1)[0], some(100 + n % 7, 1)[0], some(200 + n % 90, 4))
        for n in range(300)
    ]
    found = set()
    for _ in range(3):
        chance.shuffle(subjects)
        taken = snapshot(subjects)
        for kind in range(3):
            told = at_once(shared(taken, kind))
            pairs = {frozenset(taken.subjects[each] for each in pair) for pair in told.pairs}
            found.add((kind, frozenset(pairs)))
    assert len(found) == 3


def test_it_is_found_in_slices() -> None:
    found = snapshot([("a", 0, 1, 1, ()), ("b", 0, 1, 1, ())])
    assert sum(1 for _ in shared(found, 0)) == 1 + PARTS
    assert len(Trails(1, b"")) == 0


def test_what_a_crowd_has_is_ignored_before_it_is_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROWD", 8)
    sizes: list[int] = []

    def sized(keys: tuple[np.ndarray, ...]) -> np.ndarray:
        sizes.append(len(keys[0]))
        return np.argsort(keys[-1])

    [crowd] = some(5, 1)
    found = snapshot((f"s{n}", 0, 0, crowd, ()) for n in range(100))
    monkeypatch.setattr(np, "lexsort", sized)
    shares = at_once(shared(found, 1))
    assert max(sizes) <= 2 * 8
    assert len(shares.pairs) == shares.shares.any() == 0


def test_a_crowd_that_is_none_is_left_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROWD", 4)
    flat = np.arange(100, dtype=np.uint64)
    entries = np.arange(20)
    assert module._uncrowded(flat, entries).tolist() == entries.tolist()
    crowd = np.zeros(100, np.uint64)
    crowd[:6] = 7
    assert len(module._uncrowded(crowd, entries)) == 6
