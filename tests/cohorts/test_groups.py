import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.groups import Groups
from extproc.cohorts.usual import CHECKPOINTS, usual

USUAL = usual({"novelty": [[float(each) for each in range(100)]] * len(CHECKPOINTS)})
RARE, COMMON = {"novelty": 99.5}, {"novelty": 1.0}


def entered(callers: Sequence[tuple[str, float, dict[str, float]]], most: int = 100) -> Groups:
    groups = Groups(most)
    for caller, queries, evidence in callers:
        groups.enter(caller, ["g"], USUAL, queries, evidence)
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


def test_replicas_add_up_to_one() -> None:
    callers = [(f"c{n}", 4, RARE if n % 3 else COMMON) for n in range(30)]
    one, other = entered(callers[::2]), entered(callers[1::2])
    other.enter("d", ["h"], USUAL, 4, RARE)
    one.merge(other)
    assert one.evidence("g") == entered(callers).evidence("g")
    assert set(one) == {"g", "h"}
    assert one.size("g") == 30
    assert one.share("g") == entered(callers).share("g") > 0.4


def test_a_caller_counts_once_at_each_checkpoint() -> None:
    once = entered([("c", 4, RARE)])
    assert entered([("c", 4, RARE), ("c", 5, RARE), ("c", 3, RARE)]).evidence("g") == (
        once.evidence("g")
    )
    assert entered([("c", 4, RARE), ("c", 8, RARE)]).evidence("g") > once.evidence("g")
    assert len(entered([("c", 0, RARE)])) == 0, "nobody is judged by no query"


def test_callers_and_groups_are_bounded_and_the_oldest_are_forgotten() -> None:
    groups = Groups(10, 5)
    for number in range(50):
        groups.enter(f"c{number}", [f"g{number}"], USUAL, 4, RARE)
        groups.enter(f"c{number}", ["often"], USUAL, 8, RARE)
    assert len(groups) == 5
    assert len(groups.members) == 10
    assert "often" in set(groups)
    assert groups.evidence("often") > 50
