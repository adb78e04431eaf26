import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.snapshot import SLICE, taken
from extproc.cohorts.trail import Trails
from tests.cohorts.made_up import KEY


def test_two_periods_stand_beside_each_other_and_no_digest_twice() -> None:
    earlier, later = Trails(9, KEY), Trails(9, KEY)
    earlier.add("a", 1, 5, 0, [7])
    later.add("a", 2, 5, 6, [8])
    later.add("b", 2, 0, 6, [])
    found = at_once(taken(earlier, later))
    assert found.subjects == ["a", "b"]
    networks, clients, probes = ([row[row > 0].tolist() for row in each] for each in found.digests)
    assert networks == [[5], []]
    assert clients == [[6], [6]]
    assert probes == [[7, 8], []]
    assert [int(np.bitwise_count(each).sum()) for each in found.slots] == [2, 1]
    assert len(set(found.ranks.tolist())) == 2


def test_it_is_taken_in_slices() -> None:
    later = Trails(3 * SLICE, KEY)
    for number in range(3 * SLICE):
        later.add(f"s{number}", 0, 0, 0, ())
    assert sum(1 for _ in taken(Trails(1, KEY), later)) == 1 + 3 + 1 + 3
