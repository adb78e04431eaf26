"""What 100,000 subjects cost: memory, pairs, time a slice."""

import numpy as np
import pytest

from extproc.canonical import at_once
from extproc.cohorts.sharing import NEXT, PAIRS, PARTS, shared
from extproc.cohorts.snapshot import taken
from extproc.cohorts.trail import PLACES, Trails
from tests.cohorts.made_up import KEY

pytestmark = pytest.mark.slow
SUBJECTS, ROOM = 100_000, 65_536


@pytest.fixture(scope="module")
def trails() -> Trails:
    """Each with a digest of its own, some that it shares with a few, and one with very many."""
    found = Trails(ROOM, KEY)
    spread = np.arange(1, 2 * SUBJECTS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers = spread.tolist()
    for number in range(SUBJECTS):
        few, crowd = numbers[number // 3], numbers[number % 20]
        found.add(f"s{number}", number % 480, few, crowd, (numbers[SUBJECTS + number], few))
    return found


def test_memory_is_bounded_whoever_comes(trails: Trails) -> None:
    assert len(trails) == ROOM
    assert trails._rows.nbytes == ROOM * PLACES * 8 == 16 << 20
    assert len(trails._places) == len(trails._least) == ROOM


def test_so_many_pairs_are_looked_at_and_no_more(trails: Trails) -> None:
    snapshot = at_once(taken(Trails(1, KEY), trails))
    for kind in range(3):
        pairs = at_once(shared(snapshot, kind)).pairs
        assert 0 < len(pairs) <= min(PARTS * PAIRS, NEXT * snapshot.digests[kind].size)
