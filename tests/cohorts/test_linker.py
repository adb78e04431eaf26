import random

import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.cohorts.trail import PERIOD
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, KEY, START, Counted, life, observation, rebuilt, some

USUAL = usual({"novelty": [[each / 100 - 9.5 for each in range(1000)]] * len(CHECKPOINTS)})
KNOWN = Knowledge(Layout([Counted("novelty")]), BASE, 7.0, {"user": USUAL})
HOME, BROWSER, OFFICE, *OTHERS = some(41, 4000)


def linker(subjects: int = 4096) -> Linker:
    return Linker(KNOWN, KEY, subjects)


def strangers(to: Linker, count: int = 300) -> None:
    for number in range(count):
        seen = observation(START + 900 * (number % 400), OTHERS[number], OTHERS[1000 + number])
        to.observe(seen, f"s{number}", some(700 + number, 5))


def sybils(to: Linker, count: int = 10, time: float = START + 4500) -> None:
    for number in range(count):
        to.observe(observation(time, HOME, BROWSER), f"a{number}", some(100 + number, 5))


def test_a_cohort_is_found_judged_and_lifts_its_members() -> None:
    found = linker()
    strangers(found)
    sybils(found)
    assert found.lift("a1") == 0.0
    counters = {f"a{number}": np.array([3.0], np.float32) for number in range(10)}
    [members] = rebuilt(found, counters).values()
    assert members == {f"a{number}" for number in range(10)}
    assert found.lift("a1") > 0.7
    assert found.lift("s1") == found.lift("nobody") == 0.0


def test_until_all_is_found_what_was_found_before_stands() -> None:
    found = linker()
    strangers(found)
    sybils(found)
    rebuilt(found)
    before = found.cohorts()
    steps = found.rebuild(lambda _: None)
    for _ in range(5):
        next(steps)
        assert found.cohorts() is before


def test_what_is_two_periods_old_is_forgotten() -> None:
    found = linker()
    strangers(found)
    sybils(found)
    assert rebuilt(found)
    later = START + PERIOD
    found.observe(observation(later), "late", ())
    assert rebuilt(found), "of the period before all is known"
    found.observe(observation(START), "late", ())
    found.observe(observation(later + PERIOD), "late", ())
    assert not rebuilt(found)
    found.observe(observation(START), "forgotten", ())
    assert len(found._earlier) == 1, "of what is older nothing is kept"


def test_after_a_long_pause_nothing_is_known() -> None:
    found = linker()
    strangers(found)
    sybils(found)
    found.observe(observation(START + 2 * PERIOD), "late", ())
    assert not rebuilt(found)


def test_periods_do_not_depend_on_the_order_of_requests() -> None:
    chance = random.Random(3)
    seen = [
        (
            observation(START + PERIOD * (n % 2) + 900 * (n % 9), HOME, BROWSER),
            f"a{n % 10}",
            some(n, 2),
        )
        for n in range(60)
    ]
    cohorts = []
    for _ in range(3):
        found = linker()
        strangers(found)
        found.observe(observation(START + PERIOD), "first", ())
        chance.shuffle(seen)
        for each in seen:
            found.observe(*each)
        cohorts.append(rebuilt(found))
    assert cohorts[0] == cohorts[1] == cohorts[2]
    assert any("a1" in members for members in cohorts[0].values())


def test_a_campaign_over_keys_that_nothing_links_is_found_by_when_they_came() -> None:
    found = linker()
    for number in range(400):
        seen = observation(START + 10 * number, OTHERS[number], OTHERS[1000 + number])
        rare = number % 4 == 0
        told = {"novelty": 5.0 if rare else number % 95 / 10 - 9.5}
        found.count(seen, f"c{number}", "", "user", life(4, told))
    rebuilt(found)
    assert found.judged.suspicions[f"new day {START // 86400:.0f} user"] > 0.99
    assert found.lift("c4") > 0.2
    assert found.lift("c5") < 0.1


def test_callers_are_counted_with_their_block_their_client_and_whom_the_policy_names() -> None:
    found = linker()
    for number in range(12):
        seen = observation(START, HOME, BROWSER)
        found.count(seen, f"c{number}", "north", "user", life(4, {"novelty": 2.0}))
    period = f"{START // PERIOD:.0f}"
    names = {f"network {HOME:016x} {period} user", f"client {BROWSER:016x} {period} user"}
    assert names | {f"declared north {period} user"} < set(found.groups)
    rebuilt(found)
    assert all(found.judged.suspicions[name] > 0.9 for name in names)


def test_a_caller_is_counted_once_at_each_checkpoint_and_its_own_evidence_is_the_latest() -> None:
    found = linker()
    for queries, nats in ((5, 2.0), (6, 3.0), (1000, 1.0)):
        found.count(observation(), "c", "", "user", life(queries, {"novelty": nats}))
    assert found._own == {"c": 1.0}
    [hour, *_] = found.groups
    assert found.groups._tallies[hour].counts.sum() == 2


def test_a_class_that_nobody_has_calibrated_is_in_no_group() -> None:
    found = linker()
    found.count(observation(), "c", "north", "batch", life(4, {"novelty": 2.0}))
    assert len(found.groups) == 0


def test_of_whom_neither_block_nor_client_is_known_only_the_time_counts() -> None:
    found = linker()
    found.count(observation(), "c", "", "user", life(4, {"novelty": 2.0}))
    assert {group.split()[0] for group in found.groups} == {"new"}


def test_what_is_kept_is_bounded() -> None:
    found = linker(50)
    for number in range(500):
        seen = observation(START, OTHERS[number], OTHERS[number + 1])
        found.observe(seen, f"c{number}", some(number, 3))
        found.count(seen, f"c{number}", "", "user", life(4, {"novelty": 1.0}))
    assert len(found._own) == len(found.groups.entries) == 50
    assert len(found._later) == 50
    at_once(found.rebuild(lambda _: None))


def test_what_one_replica_knows_of_a_caller_another_can_hear() -> None:
    one, other = linker(), linker()
    sybils(one)
    for number in range(10):
        one.count(observation(START, HOME), f"a{number}", "", "user", life(4, {"novelty": 9.9}))
        other.hear(f"a{number}", one.trace(f"a{number}"))
    assert other.trace("a1") == one.trace("a1")
    assert other.trace("a1").trails != ()
    assert other.trace("nobody").trails == ()


def test_of_a_period_that_is_forgotten_nothing_is_heard() -> None:
    one, other = linker(), linker()
    sybils(one)
    other.observe(observation(START + 5 * PERIOD, HOME), "later", [1])
    other.hear("a1", one.trace("a1"))
    assert other.trace("a1").trails == ()


def test_a_tenant_that_is_watched_whole_is_new_in_no_group_of_its_own() -> None:
    found = linker()
    found.count(observation(START, HOME), "acme", "", "user", life(4, {"novelty": 9.9}))
    found.count(observation(START, HOME), "acme|key:1", "", "user", life(4, {"novelty": 9.9}))
    own, other = (found.groups.entries[each].groups for each in ("acme", "acme|key:1"))
    assert not any("of acme" in group for group in own)
    assert any("of acme" in group for group in other)
