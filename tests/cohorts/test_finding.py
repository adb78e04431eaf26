import random
import zlib

import pytest

from extproc.canonical import at_once
from extproc.cohorts import finding
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.finding import found
from extproc.cohorts.trail import Trails
from tests.cohorts.made_up import BASE, KEY, some

HOME, BROWSER, *OTHERS = some(31, 3000)


def requests(strangers: int = 400, sybils: int = 12) -> list[tuple[str, int, int, int, list[int]]]:
    several = [
        (f"s{n}", 20 * day + n % 7, OTHERS[n // 3], OTHERS[2000 + n % 40], some(9000 + n % 60, 3))
        for n in range(strangers)
        for day in range(3)
    ]
    return several + [(f"a{n}", 77, HOME, BROWSER, some(5000 + n, 5)) for n in range(sybils)]


def cohorts(asked: list[tuple[str, int, int, int, list[int]]]) -> list[Cohort]:
    trails = Trails(1000, KEY)
    for each in asked:
        trails.add(*each)
    return at_once(found(Trails(1, KEY), trails, BASE, lambda _: None))


def test_sybils_are_one_cohort_and_strangers_are_in_none_with_them() -> None:
    found = cohorts(requests())
    [cohort] = [each for each in found if "a0" in each.members]
    assert set(cohort.members) == {f"a{n}" for n in range(12)}
    assert list(cohort.members) == sorted(cohort.members)
    assert len(cohort.odds) == 12
    assert min(cohort.odds) > 0


def test_the_order_of_requests_does_not_matter() -> None:
    asked, chance = requests(), random.Random(zlib.crc32(b"order"))
    before = cohorts(asked)
    assert before
    for _ in range(2):
        chance.shuffle(asked)
        assert cohorts(asked) == before


def test_nobody_and_one_make_no_cohort() -> None:
    assert cohorts([]) == []
    assert cohorts(requests(0, 1)) == []


def test_those_of_whom_no_two_share_anything_make_none() -> None:
    asked = [(f"s{n}", n, OTHERS[n], OTHERS[1000 + n], [OTHERS[2000 + n]]) for n in range(50)]
    assert cohorts(asked) == []


def test_of_too_many_cohorts_the_largest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "COHORTS", 1)
    first = [(f"a{n}", 77, HOME, BROWSER, some(5000 + n, 5)) for n in range(12)]
    second = [(f"b{n}", 177, OTHERS[1], OTHERS[2], some(6000 + n, 5)) for n in range(8)]
    [cohort] = cohorts([*requests(sybils=0), *first, *second])
    assert set(cohort.members) == {f"a{n}" for n in range(12)}
