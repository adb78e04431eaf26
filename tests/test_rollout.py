"""A larger share holds for whom a smaller one held for, and strangers are among the last."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.rollout import WHOLE, Rollout

PERCENT = st.integers(1, 100)
NAMES = [f"tenant-{number}" for number in range(2000)]


def test_what_is_in_force_is_on_trial_for_nobody() -> None:
    assert not any(WHOLE.on_trial(name) for name in ("", "acme"))


@given(PERCENT)
def test_off_and_in_the_shadow_everybody_is_on_trial_whatever_the_share(percent: int) -> None:
    for mode in ("off", "shadow"):
        assert all(Rollout(mode, percent).on_trial(name) for name in ("", "acme"))


@given(st.text(min_size=1), PERCENT, PERCENT)
def test_a_larger_share_holds_for_whom_a_smaller_one_held_for(
    name: str, one: int, other: int
) -> None:
    smaller, larger = sorted((one, other))
    if not Rollout("enforce", smaller).on_trial(name):
        assert not Rollout("enforce", larger).on_trial(name)


def test_the_shares_of_many_tenants_are_one_in_another() -> None:
    held = [
        {name for name in NAMES if not Rollout("enforce", percent).on_trial(name)}
        for percent in (10, 25, 26, 60)
    ]
    assert held[0] < held[1] < held[2] < held[3]


@given(st.integers(1, 99))
def test_strangers_are_on_trial_until_it_holds_for_all(percent: int) -> None:
    assert Rollout("enforce", percent).on_trial("")


def test_it_holds_for_about_the_share_that_is_asked_for() -> None:
    held = sum(not Rollout("enforce", 25).on_trial(name) for name in NAMES)
    assert 400 < held < 600  # five standard deviations
