from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from extproc.limits import SECOND, Charge, Concurrency, Rate, Taken
from extproc.stores.redis.states import MOST
from extproc.stores.redis.words import Answer, Names, correcting, joined, taking

LIMIT = Rate("burst/1s", 10, SECOND)
WAY = Concurrency("way", 3)


def charge(group: str, amount: int = 1, **more: object) -> Charge:
    return Charge(LIMIT, group, "alice", amount, **more)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["", "acme", "cohort:x"]), max_size=8))
def test_every_charge_is_in_one_group_in_its_order(groups: list[str]) -> None:
    names = Names("p")
    found = names.groups([charge(group) for group in groups])
    assert sorted(place for group in found for place in group.places) == [*range(len(groups))]
    for group in found:
        assert [*group.places] == sorted(group.places)
        assert {groups[place] for place in group.places} == {group.name}


def test_all_keys_of_a_group_are_in_one_slot_also_of_the_one_without_a_name() -> None:
    names = Names("p")
    for group in ("", "acme", "cohort:x"):
        assert len({key_slot(key.encode()) for key in names.keys(group)}) == 1
    assert names.keys("acme")[0] == "p:{acme}"


def test_names_of_groups_are_forgotten_when_there_are_too_many() -> None:
    names = Names("p")
    for number in range(25_000):
        names.keys(f"{number}")
    assert len(names._keys) <= 10_000


def test_no_cost_is_more_than_a_double_can_count() -> None:
    (group,) = Names("p").groups([charge("acme", 1 << 62, kept=1 << 62, forced=True)])
    field, kind, cost, kept, capacity, *_ = taking(
        group, [charge("acme", 1 << 62, kept=1 << 62, forced=True)], 0
    )
    assert (field, kind, capacity) == (b"rburst/1s\0alice", b"r", b"")
    assert cost == kept == MOST


def test_what_is_kept_is_no_more_than_what_is_charged() -> None:
    charges = [charge("acme", 2, kept=5)]
    (group,) = Names("p").groups(charges)
    _, _, cost, kept, capacity, *_ = taking(group, charges, 0)
    assert (cost, kept, capacity) == (SECOND // 5, SECOND // 5, SECOND)


def test_all_that_is_granted_is_told_from_a_number() -> None:
    assert [*correcting(LIMIT, "alice", None, 0)][2] == -1
    assert [*correcting(LIMIT, "alice", 0, 0)][2] == 0


def test_an_answer_of_several_groups_is_told_in_the_order_of_the_charges() -> None:
    charges = [Charge(WAY, "a", "", 1), Charge(WAY, "b", "", 1), Charge(WAY, "a", "x", 1)]
    groups = Names("p").groups(charges)
    reply = [b"T", b"5", 0, b"life", b"5", b"", b"7", b"n1", b"n2", b"n3"]
    answer = Answer.of(groups, reply)
    assert (answer.lives, answer.times) == ([b"life", b""], [5, 7])
    assert [level.left for level in answer.taken("r", charges).levels] == [2, 0, 1]
    reply[7:] = [b"n1", b"", b"n3", b"4", b"", b"4"]
    refused = Answer.of(groups, reply).refused(charges)
    assert [wait.index for wait in refused.waits] == [1, 2]


def test_what_was_taken_group_by_group_is_one() -> None:
    charges = [Charge(WAY, "a", "", 1), Charge(WAY, "b", "", 1), Charge(WAY, "a", "x", 1)]
    first, second = Names("p").groups(charges)
    parts = [
        (first, Answer([first], [b""], [5], [b"n1", b"n2"]).taken("r", charges)),
        (second, Answer([second], [b""], [7], [b"n3"]).taken("r", charges)),
    ]
    taken = joined("r", charges, parts)
    assert taken == Taken("r", tuple(charges), (0, 0, 0), taken.levels)
    assert [level.left for level in taken.levels] == [2, 0, 1]
