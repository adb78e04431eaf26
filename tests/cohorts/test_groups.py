import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.entry import Entry
from extproc.cohorts.groups import Groups
from extproc.cohorts.usual import CHECKPOINTS, usual

USUAL = usual({"novelty": [[each / 10 for each in range(1000)]] * len(CHECKPOINTS)})
KNOWN = {"user": USUAL}
RARE, COMMON = {"novelty": 99.9}, {"novelty": 1.0}


def entered(callers: Sequence[tuple[str, float, dict[str, float]]], most: int = 100) -> Groups:
    groups = Groups(KNOWN, most)
    for caller, queries, evidence in callers:
        groups.enter(caller, ["g"], "user", queries, evidence)
    return groups


@given(
    st.lists(st.tuples(st.integers(2, 40), st.booleans()), min_size=1, max_size=30), st.randoms()
)
def test_the_order_of_callers_does_not_matter(
    found: list[tuple[int, bool]], chance: random.Random
) -> None:
    callers = [(f"c{n}", q, RARE if rare else COMMON) for n, (q, rare) in enumerate(found)]
    before = entered(callers).evidence("g")
    chance.shuffle(callers)
    assert entered(callers).evidence("g") == before


def test_replicas_come_to_what_one_would_have() -> None:
    callers = [(f"c{n}", 4.0, RARE if n % 3 else COMMON) for n in range(30)]
    one, other = entered(callers[:20]), entered(callers[10:])
    for groups in (one, other, one):
        for each in (one, other):
            for caller, entry in tuple(each.entries.items()):
                groups.hear(caller, entry)
    assert one.evidence("g") == other.evidence("g") == entered(callers).evidence("g")
    assert one.size("g") == 30
    assert one.share("g") == entered(callers).share("g") > 0.4


def test_what_cannot_be_counted_is_not() -> None:
    groups = Groups(KNOWN, 100)
    for entry in (Entry.at(3, b"\1\1", ("g",), "user"), Entry.at(3, b"\1", ("g",), "nobody")):
        assert not groups.hear("c", entry)
    assert len(groups) == len(groups.entries) == 0


def test_a_caller_counts_once_at_each_checkpoint() -> None:
    once = entered([("c", 5, RARE)])
    assert entered([("c", 5, RARE), ("c", 7, RARE), ("c", 3, RARE)]).evidence("g") == (
        once.evidence("g")
    )
    assert entered([("c", 5, RARE), ("c", 8, RARE)]).evidence("g") > once.evidence("g")
    assert len(entered([("c", 0, RARE)])) == 0, "nobody is judged by no query"


def test_callers_and_groups_are_bounded_and_the_oldest_are_forgotten() -> None:
    groups = Groups(KNOWN, 10, 5)
    for number in range(50):
        groups.enter(f"c{number}", [f"g{number}"], "user", 4, RARE)
        groups.enter(f"c{number}", ["often"], "user", 8, RARE)
    assert len(groups) == 5
    assert len(groups.entries) == 10
    assert "often" in set(groups)
    assert groups.evidence("often") > 40
