import pytest

from extproc.redteam.measures.interval import Interval, of_mean
from extproc.redteam.measures.reach import Bound, Multiplier
from extproc.redteam.report.numerals import duration, number, price, queries, spread, times


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95813, "0.958"),
        (12_345.6, "12,346"),
        (3, "3"),
        (0.00001, "1.0e-05"),
        (2.5, "2.50"),
        (float("inf"), "∞"),
        (-float("inf"), "-∞"),
    ],
)
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_an_interval_over_few_seeds_says_so() -> None:
    assert spread(Interval(0.9, 0.88, 0.92, 5)) == "0.900 ± 0.020"
    assert spread(Interval(0.9, 0.88, 0.92, 3)).endswith("(3\N{NO-BREAK SPACE}seeds)")
    assert spread(of_mean([0.5])) == "0.500 (one\N{NO-BREAK SPACE}seed)"
    assert spread(Interval(9.8, 8.6, 11, 5), "ms") == "9.80 ± 1.2 ms"
    assert spread(Interval(0.9, 0.8999, 0.9001, 5)) == "0.900 ± <0.001"


def test_a_bound_is_told_as_one() -> None:
    interval = Interval(12, 10, 14, 5)
    assert times(Multiplier(Bound.EXACT, interval)) == "12× (10 to 14)"
    assert times(Multiplier(Bound.AT_LEAST, interval)) == "≥ 12×"
    alone = Interval(3, 0, float("inf"), 1)
    assert times(Multiplier(Bound.EXACT, alone)) == "3.0× (one\N{NO-BREAK SPACE}seed)"
    assert times(Multiplier(Bound.OPEN, interval)) == "not comparable"
    assert queries(Bound.AT_LEAST, 10_000) == "> 10,000"
    assert queries(Bound.EXACT, 316.2) == "320"


def test_a_duration_has_a_unit() -> None:
    assert [duration(each) for each in (0.5, 2, 600)] == ["500 ms", "2.0 s", "10.0 min"]


def test_money_has_two_decimals_or_two_digits() -> None:
    assert [price(each) for each in (0, 0.081, 1.5, 1_234)] == ["0.00", "0.081", "1.50", "1,234.00"]
