import numpy as np

from extproc.canonical import at_once
from extproc.cohorts import client, complement, network, timing
from extproc.cohorts.link import AGAINST
from extproc.cohorts.pairs import SLICE, Common, Covered
from extproc.cohorts.sharing import shared
from extproc.cohorts.snapshot import Snapshot
from tests.cohorts.made_up import BASE, CELLS, snapshot, some

HOME, BROWSER, *OTHERS = some(11, 2000)


def common(found: Snapshot, covered: Covered = lambda _: None) -> Common:
    shares = [at_once(shared(found, kind)) for kind in range(3)]
    known = Common(found, shares, BASE, covered)
    at_once(known.slots())
    return known


def strangers(count: int) -> list[tuple[str, int, int, int, list[int]]]:
    """Each at a time, from a place and with a client of its own."""
    return [(f"s{n}", n % 470, OTHERS[n], OTHERS[1000 + n], some(500 + n, 5)) for n in range(count)]


def odds(known: Common, one: int, other: int) -> float:
    return float(known.odds(np.array([[one, other]]))[0])


def test_strangers_have_nothing_in_common() -> None:
    assert odds(common(snapshot(strangers(300))), 3, 200) == -AGAINST


def test_each_kind_adds_up() -> None:
    subjects = strangers(300)
    for number in (0, 1):
        name, _, _, _, probes = subjects[number]
        subjects[number] = (name, 9, HOME, BROWSER, probes)
    one = subjects[2]
    subjects[2] = (one[0], one[1], HOME, *one[3:])
    known = common(snapshot(subjects))
    assert odds(known, 0, 2) == network.MOST - AGAINST
    told = odds(known, 0, 1)
    assert 0 < told - (network.MOST + client.MOST - AGAINST) <= timing.MOST


def test_shared_inputs_link_and_popular_ones_do_not() -> None:
    rare, popular = some(21, 10), some(22, 10)
    subjects = strangers(300)
    for number in range(2):
        subjects[number] = (*subjects[number][:4], rare)
    for number in range(10, 60):
        subjects[number] = (*subjects[number][:4], popular)
    known = common(snapshot(subjects))
    assert odds(known, 0, 1) > 0
    assert odds(known, 10, 11) < 0


def test_coverage_tells_for_and_against() -> None:
    subjects = [(*each[:2], HOME, BROWSER, each[4]) for each in strangers(4)] + strangers(300)[4:]
    far, other = np.zeros(CELLS, np.float32), np.zeros(CELLS, np.float32)
    far[0], other[1] = 90, 90
    cells = {"s0": far, "s1": far, "s2": other}
    known = common(snapshot(subjects), cells.get)
    usual = odds(common(snapshot(subjects)), 0, 1)
    assert odds(known, 0, 1) > usual + 1
    assert odds(known, 0, 2) == usual - complement.MOST
    assert odds(common(snapshot(subjects), lambda _: far[:0]), 0, 2) == usual, "no reference"


def test_when_all_are_active_is_learnt_in_slices() -> None:
    found = snapshot(strangers(3 * SLICE))
    known = Common(found, [at_once(shared(found, kind)) for kind in range(3)], BASE, lambda _: None)
    assert sum(1 for _ in known.slots()) == 3
