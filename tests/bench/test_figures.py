import pytest

from tests.bench.figures import Figure, Spread, percentile


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert [percentile(values, share) for share in (0.0, 0.2, 0.5, 0.99, 1.0)] == [1, 1, 3, 5, 5]


def test_a_spread_is_its_median_its_least_and_its_most() -> None:
    assert Spread.of([9.0, 1.0, 2.0]) == Spread(2.0, 1.0, 9.0)


@pytest.mark.parametrize(("goal", "met"), [(None, None), (4.0, True), (3.9, False)])
def test_a_goal_is_met_where_the_median_is_not_above_it(
    goal: float | None, met: bool | None
) -> None:
    figure = Figure("work", "us", Spread(4.0, 1.0, 9.0), Spread(2.0, 2.0, 2.0), goal)

    assert figure.met is met
    assert figure.ratio == 2.0


@pytest.mark.parametrize("without", [None, Spread(0.0, 0.0, 0.0)])
def test_without_something_to_compare_there_is_no_ratio(without: Spread | None) -> None:
    assert Figure("work", "us", Spread(4.0, 1.0, 9.0), without).ratio is None
