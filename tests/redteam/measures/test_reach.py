from math import inf, sqrt

import pytest

from extproc.redteam.measures.reach import Bound, Checkpoint, Reach, multiplier, reach


def curve(*values: float) -> list[Checkpoint]:
    """At 100, 1,000 and so on."""
    return [
        Checkpoint(10 ** (at + 2), value, served=10 ** (at + 2), keys=at + 1, seconds=at)
        for at, value in enumerate(values)
    ]


def exact(queries: float) -> Reach:
    return Reach(Bound.EXACT, queries, queries, 1, 0)


def test_half_way_between_two_checkpoints_is_half_way_on_a_logarithmic_scale() -> None:
    found = reach(curve(0.85, 0.95), 0.9)
    assert found.bound is Bound.EXACT
    assert found.queries == pytest.approx(sqrt(100 * 1_000))
    assert [found.served, found.keys, found.seconds] == pytest.approx([550, 2, 0.5])


def test_what_was_good_enough_at_once_took_at_most_that() -> None:
    assert reach(curve(0.95, 0.99), 0.9) == Reach(Bound.AT_MOST, 100, 100, 1, 0)


def test_what_never_got_there_took_at_least_all_that_was_tried() -> None:
    found = reach(curve(0.5, 0.8, 0.7), 0.9)
    assert found == Reach(Bound.AT_LEAST, 10_000, 10_000, 3, 2)
    assert not found.reached


def test_the_attacker_keeps_the_best_copy() -> None:
    # 0.85 at 100 is held until 1,000, though the copy of 1,000 was worse.
    assert reach(curve(0.85, 0.2, 0.95), 0.9).queries == pytest.approx(sqrt(1_000 * 10_000))


def test_a_curve_needs_a_checkpoint() -> None:
    with pytest.raises(ValueError, match="without a checkpoint"):
        reach([], 0.9)


def test_a_multiplier_is_of_seeds_in_pairs() -> None:
    found = multiplier([exact(400), exact(800)], [exact(100), exact(200)])
    assert found.bound is Bound.EXACT
    assert [found.times.value, found.times.low] == pytest.approx([4, 4])


def test_one_seed_that_never_got_there_makes_it_at_least_and_opens_the_upper_end() -> None:
    never = Reach(Bound.AT_LEAST, 10_000, 0, 1, 0)
    found = multiplier([exact(10_000), never], [exact(100), exact(100)])
    assert found.bound is Bound.AT_LEAST
    assert [found.times.low, found.times.high] == pytest.approx([100, inf])


@pytest.mark.parametrize(
    ("policy", "none", "bound"),
    [
        (Bound.EXACT, Bound.AT_MOST, Bound.AT_LEAST),
        (Bound.AT_LEAST, Bound.AT_MOST, Bound.AT_LEAST),
        (Bound.AT_MOST, Bound.EXACT, Bound.AT_MOST),
        (Bound.EXACT, Bound.AT_LEAST, Bound.AT_MOST),
        (Bound.AT_LEAST, Bound.AT_LEAST, Bound.OPEN),
        (Bound.AT_MOST, Bound.AT_MOST, Bound.OPEN),
    ],
)
def test_a_bound_of_what_divides_is_one_from_the_other_side(
    policy: Bound, none: Bound, bound: Bound
) -> None:
    found = multiplier([Reach(policy, 200, 0, 1, 0)], [Reach(none, 100, 0, 1, 0)])
    assert found.bound is bound


def test_three_quarters_of_the_way_are_so_on_a_logarithmic_scale() -> None:
    assert reach(curve(0.80, 0.96), 0.92).queries == pytest.approx(100 * 10**0.75)


def test_who_is_as_good_as_the_level_has_reached_it() -> None:
    assert reach(curve(0.9), 0.9).bound is Bound.AT_MOST
    found = reach(curve(0.5, 0.9), 0.9)
    assert found.bound is Bound.EXACT
    assert found.queries == pytest.approx(1_000)


@pytest.mark.parametrize(
    ("policy", "none", "low", "high"),
    [
        (Bound.EXACT, Bound.EXACT, 2, 2),
        (Bound.AT_MOST, Bound.EXACT, 0, 2),
        (Bound.AT_LEAST, Bound.EXACT, 2, inf),
        (Bound.AT_LEAST, Bound.AT_LEAST, 0, inf),
    ],
)
def test_a_bound_opens_the_interval_on_its_side(
    policy: Bound, none: Bound, low: float, high: float
) -> None:
    over, under = (
        [Reach(bound, each, 0, 1, 0)] * 2 for bound, each in ((policy, 200), (none, 100))
    )
    times = multiplier(over, under).times
    assert (times.low, times.high) == pytest.approx((low, high))
