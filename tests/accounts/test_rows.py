from datetime import UTC, datetime

import pytest

from extproc.accounts.rows import apart, check_spent, counted, row, short, unused
from extproc.errors import OperatorError
from extproc.limits import (
    NEVER,
    SECOND,
    Calendar,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Standing,
)

NOW = round(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * SECOND
HOUR = 3600 * SECOND
CREDITS = Limit(Calendar("daily/day", 50_000, Periods("day")), "credits", ("tenant",), budget=True)
TOKENS = Limit(
    Calendar("words/month", 1000, Periods("month")), "tokens", ("principal", "cohort", "model")
)
FLIGHT = Limit(Concurrency("flight", 4), "concurrent", ("tenant",))
BURST = Limit(Rate("burst/1s", 20, SECOND), "requests", ("principal",))


def test_credits_are_told_in_credits() -> None:
    found = row(CREDITS, Standing("daily/day", "", 40_125, 9_875, 12 * HOUR), NOW)
    assert (found.limit, found.window, found.unit, found.per) == ("daily", "day", "credits", ())
    assert (found.spent, found.max, found.left, found.used) == (40.125, 50.0, 9.875, 0.8025)
    assert found.resets == datetime(2026, 6, 2, tzinfo=UTC)
    assert found.forecast == "ends"
    assert found.exhausted is not None
    assert NOW / SECOND < found.exhausted.timestamp() < found.resets.timestamp()


def test_all_else_is_told_in_whole_numbers() -> None:
    found = row(TOKENS, Standing("words/month", "key:a|m", 1500, 0, HOUR), NOW)
    assert (found.spent, found.max, found.left, found.used) == (1500, 1000, 0, 1.5)
    assert (found.per, found.subject) == (("principal", "model"), "key:a|m")
    assert (found.forecast, found.exhausted) == ("exhausted", None)
    assert isinstance(found.spent, int)


@pytest.mark.parametrize("reset", [0, NEVER - NOW])
def test_what_is_unused_or_never_comes_back_has_no_moment(reset: int) -> None:
    assert row(CREDITS, Standing("daily/day", "", 1, 49_999, reset), NOW).resets is None


def test_what_was_granted_beyond_what_was_spent_is_less_than_nothing() -> None:
    found = row(CREDITS, Standing("daily/day", "", -500, 50_500, HOUR), NOW)
    assert (found.spent, found.left, found.used, found.forecast) == (-0.5, 50.5, -0.01, "lasts")


def test_a_subject_that_is_no_text_is_shown_all_the_same() -> None:
    found = row(TOKENS, Standing("words/month", "jwt:i|\ud800", 1, 1, HOUR), NOW)
    assert found.subject == "jwt:i|\\ud800"


def test_a_key_is_shown_as_records_show_it_and_other_names_whole() -> None:
    hashed = "key:" + "0123456789abcdef" * 4
    assert short(hashed) == "key:0123456789abcdef…"
    assert short(f"{hashed}|m") == "key:0123456789abcdef…|m"
    assert short("jwt:https://issuer.example|alice") == "jwt:https://issuer.example|alice"
    assert short("key:0123456789abcdef") == "key:0123456789abcdef"


def test_a_limit_that_counted_nothing_is_told_too() -> None:
    found = unused(FLIGHT, NOW)
    assert (found.window, found.spent, found.left, found.resets) == ("", 0, 4, None)
    assert (found.forecast, unused(BURST, NOW).per) == ("none", ("principal",))


def test_tenants_and_cohorts_are_told_apart_by_whose_counters_they_are() -> None:
    assert apart(TOKENS) == ("principal", "model")
    assert apart(CREDITS) == ()


def test_amounts_are_given_in_the_unit_of_the_policy() -> None:
    assert counted(CREDITS, 1.5) == 1500
    assert counted(CREDITS, 0.0001) == 1  # not nothing, where something was asked for
    assert counted(TOKENS, 7.0) == 7
    with pytest.raises(OperatorError, match="words counts whole tokens; write a whole number"):
        counted(TOKENS, 1.5)


def test_what_is_under_way_is_never_spent() -> None:
    check_spent(BURST)
    with pytest.raises(OperatorError, match="flight counts what is under way"):
        check_spent(FLIGHT)


def test_privacy_is_told_in_squares_of_mu_and_given_to_nobody() -> None:
    rule = Calendar("digits/lifetime", 250_000_000, Periods("lifetime"))
    limit = Limit(rule, "privacy", budget=True, promise=(2.0, 1e-5))
    told = row(limit, Standing(rule.name, "", 125_000_000, 125_000_000, 0), 0)
    assert (told.spent, told.max, told.left, told.used) == (0.125, 0.25, 0.125, 0.5)
    assert (told.epsilon, told.delta, told.window) == (2.0, 1e-5, "lifetime")
    assert counted(limit, 1e9) == 0
    with pytest.raises(OperatorError, match="counts what was told, which nobody can take back"):
        check_spent(limit)
