from hypothesis import given
from hypothesis import strategies as st

from extproc.server.detection.quota import Quota


def test_what_is_beyond_it_is_held_back_and_told_with_the_next() -> None:
    quota = Quota(hourly=2)
    assert [quota.take("acme", now) for now in (0, 1, 2, 3, 3599)] == [0, 0, None, None, None]
    assert quota.take("acme", 3600) == 3
    assert quota.take("acme", 3600.5) is None
    assert quota.take("acme", 3601) == 1


def test_each_subject_has_its_own() -> None:
    quota = Quota(hourly=1)
    assert [quota.take(subject, 0) for subject in ("a", "b", "a", "b")] == [0, 0, None, None]


def test_whoever_was_told_of_longest_ago_is_forgotten() -> None:
    quota = Quota(hourly=1, most=2)
    for subject in ("a", "b", "a", "c"):
        quota.take(subject, 0)
    assert [quota.take(subject, 1) for subject in ("a", "c")] == [None, None]
    assert quota.take("b", 1) == 0


@given(st.lists(st.floats(0, 10_000), max_size=60).map(sorted))
def test_no_hour_has_more(times: list[float]) -> None:
    quota = Quota(hourly=3)
    told = [now for now in times if quota.take("acme", now) is not None]
    assert all(later - earlier >= 3600 for earlier, later in zip(told, told[3:], strict=False))
