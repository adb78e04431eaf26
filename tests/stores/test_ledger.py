import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import SECOND, Calendar, Concurrency, Periods, Rate
from extproc.stores.ledger import FEW, OTHERS, Ledger, States
from tests.stores.contract import DAY, NOON

RATE = Rate("rate/1s", 10, SECOND)
DAILY = Calendar("daily/day", 10, Periods("day"))


def count(ledger: Ledger, group: str, rule: Rate | Calendar, subject: str, now: int) -> str:
    """As a store does it: by whom it was counted."""
    if ledger.untidy:
        ledger.tidy(now)
    states = ledger.states(group, rule)
    before = states.by_subject.get(subject)
    if before is None:
        subject = ledger.counted_as(states, subject, now)
        before = states.by_subject.get(subject)
    state = rule.add(before, now, 1)
    if before is None:
        ledger.make(states, subject, state)
    else:
        states.by_subject[subject] = state
    return subject


def test_a_group_has_its_share_and_the_others_are_counted_together() -> None:
    ledger = Ledger(1000, 100, 10)
    whose = [count(ledger, "acme", DAILY, f"{n}", NOON) for n in range(300)]
    assert whose[:100] == [f"{n}" for n in range(100)]
    assert set(whose[100:]) == {OTHERS}
    assert ledger.together == 200
    assert ledger.counters == 101
    assert count(ledger, "acme", DAILY, "7", NOON) == "7"
    assert count(ledger, "acme", DAILY, "", NOON) == ""
    assert count(ledger, "acme", RATE, "7", NOON) == OTHERS
    assert count(ledger, "globex", DAILY, "7", NOON) == "7"


def test_whoever_fills_the_store_every_group_has_a_few() -> None:
    ledger = Ledger(200, 100, 10)
    for group in ("a", "b"):
        for n in range(500):
            count(ledger, group, DAILY, f"{n}", NOON)
    whose = [count(ledger, "globex", DAILY, f"{n}", NOON) for n in range(FEW + 1)]
    assert whose == [*(f"{n}" for n in range(FEW)), OTHERS]


def test_what_says_nothing_any_more_makes_room() -> None:
    ledger = Ledger(1000, 100, 10)
    for n in range(10_000):
        assert count(ledger, "acme", RATE, f"{n}", NOON + n * SECOND) == f"{n}"
    assert ledger.counters <= FEW


def test_while_there_are_few_nobody_is_forgotten() -> None:
    ledger = Ledger(1000, 100, 10)
    for n in range(FEW):
        count(ledger, "acme", RATE, f"{n}", NOON + n * DAY)
    assert ledger.counters == FEW


def test_groups_and_rules_that_nobody_uses_are_forgotten() -> None:
    ledger = Ledger(1000, 100, 8)
    for n in range(100):
        count(ledger, f"group {n}", RATE, "alice", NOON + n * SECOND)
    assert len(ledger.groups) <= 4
    assert len(ledger._ring) == sum(len(group.of) for group in ledger.groups.values()) <= 4


def test_more_groups_than_there_is_room_for_are_refused() -> None:
    ledger = Ledger(1000, 100, 2)
    for group in ("a", "b"):
        count(ledger, group, DAILY, "alice", NOON)
    with pytest.raises(StoreUnavailable, match="all 2 groups of counters are in use"):
        count(ledger, "c", DAILY, "alice", NOON)
    count(ledger, "a", RATE, "alice", NOON)


def test_what_is_under_way_is_never_forgotten() -> None:
    ledger = Ledger(4, 4, 10)
    states = ledger.states("acme", Concurrency("at-once", 2))
    ledger.make(states, "alice", 1)
    for n in range(300):
        count(ledger, "acme", RATE, f"{n}", NOON + n * DAY)
    assert states.by_subject == {"alice": 1}
    states.by_subject["alice"] = 0
    for n in range(300, 600):
        count(ledger, "acme", RATE, f"{n}", NOON + n * DAY)
    assert list(ledger.of("acme", [Concurrency("at-once", 2)])) == []


def test_rules_of_one_name_and_different_kinds_are_apart() -> None:
    ledger = Ledger(10, 10, 10)
    rate, daily = Rate("one", 10, SECOND), Calendar("one", 10, Periods("day"))
    count(ledger, "acme", rate, "alice", NOON)
    count(ledger, "acme", daily, "alice", NOON)
    found = [states.rule for states in ledger.of("acme", [daily, rate, DAILY])]
    assert [type(each).__name__ for each in found] == ["Calendar", "Rate"]
    assert list(ledger.of("globex", [rate])) == []


def test_the_newest_rule_of_a_name_is_the_one_in_force() -> None:
    ledger = Ledger(10, 10, 10)
    states = ledger.states("acme", RATE)
    wider = Rate("rate/1s", 20, SECOND)
    assert ledger.states("acme", wider) is states
    assert states.rule is wider


def test_of_nothing_nothing_is_tidied() -> None:
    ledger = Ledger(10, 10, 10)
    ledger.tidy(NOON)
    assert not States(RATE, ledger.states("acme", RATE).group).forget_next(NOON)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz"), st.integers(0, 3)), max_size=80
    ),
    share=st.integers(0, 5),
)
def test_forgetting_changes_no_count_and_every_number_is_kept(
    steps: list[tuple[str, str, int]], share: int
) -> None:
    ledger, now = Ledger(8, share, 3), NOON
    seen: dict[tuple[str, str], int] = {}
    for group, subject, step in steps:
        now += step * SECOND // 20
        whose = count(ledger, group, RATE, subject, now)
        known = seen.get((group, whose))
        seen[group, whose] = RATE.add(known, now, 1)
        states = ledger.states(group, RATE)
        assert states.by_subject[whose] == seen[group, whose]
        every = [each for one in ledger.groups.values() for each in one.of.values()]
        assert ledger.counters == sum(len(each.by_subject) for each in every)
        assert all(sorted(each.subjects) == sorted(each.by_subject) for each in every)
        assert all(
            one.counters == sum(len(each.by_subject) for each in one.of.values())
            for one in ledger.groups.values()
        )
