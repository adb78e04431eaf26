from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import MILLI, NOTHING, USUAL, Amounts, Tariff

COUNTS = st.integers(0, 10_000_000)
PRICES = st.floats(0, 1000)
TARIFFS = st.builds(Tariff, PRICES, PRICES, PRICES, PRICES, PRICES)


def test_a_request_costs_a_credit_for_each_input_where_nobody_says_anything() -> None:
    assert USUAL.credits(64, 1000, 1000) == 64 * MILLI


def test_credits_are_a_sum_times_what_the_model_is_worth() -> None:
    tariff = Tariff(1, 2, 0.01, 0.1, times=3)
    assert tariff.credits(5, 100, 20) == 3 * (1 + 10 + 1 + 2) * MILLI


def test_of_a_model_the_first_pattern_counts_that_fits() -> None:
    tariff = Tariff(times=2, models=((("big-*", "huge"), 10), (("*-2",), 0.5)))
    assert tariff.of("big-2").credits(1, 0, 0) == 20 * MILLI
    assert tariff.of("huge").credits(1, 0, 0) == 20 * MILLI
    assert tariff.of("small-2").credits(1, 0, 0) == MILLI
    assert tariff.of("other").credits(1, 0, 0) == 2 * MILLI


def test_a_part_of_a_thousandth_is_a_whole_one() -> None:
    assert Tariff(query=0, output_token=1e-9).credits(1, 0, 1) == 1


@given(TARIFFS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_of_anything_never_costs_less(
    tariff: Tariff, queries: int, read: int, written: int, more: int
) -> None:
    cost = tariff.credits(queries, read, written)
    assert tariff.credits(queries + more, read, written) >= cost
    assert tariff.credits(queries, read + more, written) >= cost
    assert tariff.credits(queries, read, written + more) >= cost


def test_what_is_certain_is_what_does_not_depend_on_the_answer() -> None:
    amounts = Amounts(1, 3, 100, 50, {"text": 40, "embedding": 2}, Tariff(1, 1, 1, 1))
    assert amounts.of("requests") == (1, 1)
    assert amounts.of("queries") == (3, 3)
    assert amounts.of("tokens") == (150, 0)
    assert amounts.of("credits") == (154 * MILLI, 4 * MILLI)
    assert amounts.of("bits") == (42, 42)
    assert amounts.of("bits", {"text"}) == (40, 40)
    assert amounts.of("concurrent") == (1, 0)


def test_what_never_went_on_costs_nothing() -> None:
    for unit in ("requests", "queries", "tokens", "credits", "bits", "concurrent"):
        assert NOTHING.of(unit) == (0, 0)
    priced = Amounts(requests=0, tariff=Tariff(request=5))
    assert priced.of("credits") == (0, 0)
