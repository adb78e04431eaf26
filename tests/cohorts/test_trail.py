import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.trail import CLIENTS, NETWORKS, PLACES, PROBES, SLOTS, Trails
from tests.cohorts.made_up import KEY, some

DIGESTS = st.lists(st.integers(1, 2**64 - 1), max_size=60)


def kept(trails: Trails, subject: str, part: tuple[int, int]) -> list[int]:
    found = trails.of(subject)
    assert found is not None
    return [int(each) for each in found[0][part[0] : part[1]] if each]


@given(DIGESTS)
def test_the_largest_digests_are_kept_each_once(probes: list[int]) -> None:
    trails = Trails(4, KEY)
    for probe in probes:
        trails.add("a", 0, 0, 0, [probe])
    if probes:
        assert kept(trails, "a", PROBES) == sorted(set(probes))[-18:]


def test_what_is_kept_does_not_depend_on_the_order_of_requests() -> None:
    chance = random.Random(7)
    requests: list[tuple[str, int, int, int, list[int]]] = [
        (
            f"s{chance.randrange(40)}",
            chance.randrange(480),
            some(seed, 1)[0],
            some(seed + 1, 1)[0],
            some(seed % 50, 3),
        )
        for seed in range(400)
    ]
    found = []
    for _ in range(3):
        chance.shuffle(requests)
        trails = Trails(16, KEY)
        for request in requests:
            trails.add(*request)
        found.append({name: trails.of(name)[0].tolist() for name in sorted(trails)})  # type: ignore[index]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 16, "there is room for so many"


def test_each_part_has_its_own_places() -> None:
    trails = Trails(4, KEY)
    trails.add("b", 3, 1, 2, [3])
    trails.add("a", 479, 10, 20, [30])
    assert kept(trails, "a", NETWORKS) == [10]
    assert kept(trails, "a", CLIENTS) == [20]
    assert kept(trails, "a", PROBES) == [30]
    assert kept(trails, "a", SLOTS) == [1 << (479 - 448)]
    assert kept(trails, "b", SLOTS) == [8]


def test_a_subject_takes_256_bytes_and_there_are_no_more_than_there_is_room_for() -> None:
    trails = Trails(100, KEY)
    for number in range(10_000):
        trails.add(f"s{number}", 0, number + 1, 0, ())
    assert len(trails) == len(list(trails)) == 100
    assert PLACES * 8 == 256
    assert trails._rows.nbytes == 25_600
    assert len(trails._least) == 100


def test_whoever_has_no_place_leaves_no_trail_and_takes_none() -> None:
    trails = Trails(1, KEY)
    trails.add("a", 0, 1, 0, ())
    trails.add("b", 0, 2, 0, ())
    [left] = trails
    assert kept(trails, left, NETWORKS) == [1 if left == "a" else 2]
    assert trails.of("b" if left == "a" else "a") is None


def test_which_subjects_are_kept_is_as_good_as_drawn() -> None:
    trails = Trails(1000, KEY)
    for number in range(4000):
        trails.add(f"s{number}", 0, 0, 0, ())
    early = sum(int(name[1:]) < 2000 for name in trails)
    assert 420 < early < 580, "neither the first nor the last to come, nor who has such a name"
    other = Trails(1000, b"another")
    for number in range(4000):
        other.add(f"s{number}", 0, 0, 0, ())
    assert len(set(other) & set(trails)) < 350
    assert np.unique(trails._ranks).size == 1000


def test_nothing_is_heard_of_somebody_there_is_no_room_for() -> None:
    full, other = Trails(1, KEY), Trails(4, KEY)
    names = [f"s{number}" for number in range(8)]
    for subject in names:
        full.add(subject, 1, 2, 3, [4])
        other.add(subject, 1, 2, 3, [4])
    [kept_here] = list(full)
    for subject in names:
        heard = other.of(subject)
        if heard is not None and subject != kept_here:
            full.hear(subject, heard[0])
    assert len(list(full)) == 1
