import numpy as np

from extproc.canonical import at_once
from extproc.cohorts import judging
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.groups import DECLARED, Groups
from extproc.cohorts.judging import LEAST, Judged, cohorts_judged, groups_judged
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.detector import Counters
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, Counted

KNOWN = Knowledge(Layout([Counted("novelty")]), BASE, 7.0)
USUAL = usual({"novelty": [[each / 10 for each in range(1000)]] * len(CHECKPOINTS)})
CLASSES = {"user": USUAL}
NORTH = f"{DECLARED}north 1"


def cohort(name: str, count: int, odds: float = 1.0) -> Cohort:
    return Cohort(name, tuple(f"{name}{n:04d}" for n in range(count)), (odds,) * count)


def judged(cohorts: list[Cohort], counters: dict[str, Counters]) -> Judged:
    found = Judged()
    at_once(cohorts_judged(found, cohorts, KNOWN, counters.get))
    return found


def nats(*each: float) -> dict[str, Counters]:
    return {f"c{n:04d}": np.array([told], np.float32) for n, told in enumerate(each)}


def test_many_members_who_ask_little_each_are_suspicious_together() -> None:
    found = judged([cohort("c", 10)], nats(*[3.0] * 10))
    assert found.suspicions["c"] > 0.99
    assert found.evidence["c"] == {"novelty": 30.0}
    assert found.lifts["c0003"] > 0.7
    assert found.members == {f"c{n:04d}": "c" for n in range(10)}


def test_a_member_whose_own_queries_are_innocent_is_not_blamed() -> None:
    found = judged([cohort("c", 10)], nats(*[3.0] * 9, 1.5))
    assert found.suspicions["c"] > 0.99
    assert found.lifts["c0009"] < 0.5 < found.lifts["c0000"]


def test_a_weak_link_lifts_little() -> None:
    found = judged([cohort("c", 10, odds=-2.5)], nats(*[0.9] * 10))
    assert found.lifts["c0000"] < 0.2


def test_of_members_that_are_forgotten_nothing_is_said() -> None:
    found = judged([cohort("c", 3)], {})
    assert found.cohorts
    assert not found.suspicions
    found = judged([cohort("c", 3)], nats(9.0))
    assert set(found.lifts) == {"c0000"}


def test_so_many_members_are_looked_at_those_of_the_largest_cohorts() -> None:
    few = [cohort("a", judging.MEMBERS - 10), cohort("b", 8), cohort("c", 5)]
    assert set(judged(few, nats(9.0)).cohorts) == {"a", "b"}


def test_cohorts_are_judged_in_slices() -> None:
    slices = cohorts_judged(Judged(), [cohort("c", 64)], KNOWN, nats(*[1.0] * 64).get)
    assert sum(1 for _ in slices) == 4 + 4 + 1


def test_a_group_with_too_many_rare_callers_lifts_those_who_are_rare() -> None:
    groups, own = Groups(CLASSES, 5000), {}
    for number in range(40):
        rare = number % 2 == 0
        own[f"c{number}"] = 4.0 if rare else 1.5
        told = {"novelty": 99.9 if rare else 3.0}
        groups.enter(f"c{number}", [NORTH], "user", 4, told)
        groups.enter(f"d{number}", ["benign"], "user", 4, {"novelty": 2.5 * number})
    groups.enter("c0", [NORTH, "benign"], "user", 8, {"novelty": 99.9})
    found = Judged()
    slices = sum(1 for _ in groups_judged(found, groups, own))
    assert slices == 0
    assert found.suspicions[NORTH] > 0.99
    assert found.suspicions["benign"] < 0.5
    assert found.lifts["c2"] > 0.7
    assert found.lifts["c1"] < 0.4
    assert "d0" not in found.lifts


def test_one_time_one_address_or_one_client_alone_links_nobody() -> None:
    found = {}
    for group in ("new day 1", "client 1", "network 1", f"{DECLARED}north 1"):
        groups = Groups(CLASSES, 100)
        for number in range(40):
            groups.enter(f"c{number}", [group], "user", 4, {"novelty": 99.9})
        judged = Judged()
        at_once(groups_judged(judged, groups, dict.fromkeys(groups.entries, 9.0)))
        found[group] = judged.lifts["c0"]
    assert found.pop(f"{DECLARED}north 1") > 0.7
    assert max(found.values()) <= 0.5


def test_a_caller_of_two_groups_has_the_greater_lift() -> None:
    found = Judged()
    found.raise_to("a", 0.5)
    found.raise_to("a", 0.2)
    assert found.lifts == {"a": 0.5}
    found.raise_to("a", 0.7)
    assert found.lifts == {"a": 0.7}


def test_a_group_of_few_is_not_looked_at() -> None:
    groups = Groups(CLASSES, 100)
    for number in range(LEAST - 1):
        groups.enter(f"c{number}", ["few", "five"], "user", 4, {"novelty": 99.9})
    groups.enter("another", ["five"], "user", 4, {"novelty": 99.9})
    found = Judged()
    at_once(groups_judged(found, groups, {}))
    assert set(found.suspicions) == {"five"}


def test_groups_and_their_callers_are_judged_in_slices() -> None:
    groups = Groups(CLASSES, 5000)
    for number in range(2100):
        groups.enter(f"c{number}", ["all", f"g{number % 40}"], "user", 4, {"novelty": 99.9})
    assert sum(1 for _ in groups_judged(Judged(), groups, {})) == 16 + 2


def test_a_group_without_more_than_the_usual_share_lifts_nobody() -> None:
    class Even(Groups):
        def share(self, group: str) -> float:
            return 0.0

    groups = Even(CLASSES, 100)
    for number in range(40):
        groups.enter(f"c{number}", ["g"], "user", 4, {"novelty": 99.9})
    found = Judged()
    at_once(groups_judged(found, groups, {f"c{number}": 5.0 for number in range(40)}))
    assert found.suspicions["g"] > 0.99
    assert max(found.lifts.values()) < 1e-9


def test_a_group_that_is_forgotten_while_others_are_judged_is_passed_over() -> None:
    groups = Groups(CLASSES, 100)
    for number in range(40):
        named = ["g", "h"] if number % 2 else ["g"]
        groups.enter(f"c{number}", named, "user", 4, {"novelty": 99.9})
    found, asked = Judged(), list[str]()

    class Forgetful(Groups):
        def __contains__(self, group: str) -> bool:
            asked.append(group)
            return group != "h" or asked.count(group) == 1

    groups.__class__ = Forgetful
    at_once(groups_judged(found, groups, {}))
    assert asked.count("h") == 2
    assert set(found.suspicions) == {"g"}
