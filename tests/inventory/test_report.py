"""A report adds up what it says."""

import math

import pytest

from extproc.inventory.report import Rating, Reason, ranked, times, worst

REASONS = [Reason(Rating(rating), f"{at}", "") for at, rating in enumerate([0, 2, 1, 2])]


def test_the_worst_decides() -> None:
    assert worst(REASONS) is Rating.HIGH
    assert worst([]) is Rating.LOW


def test_the_worst_stands_first_and_equals_stay_in_order() -> None:
    assert [reason.what for reason in ranked(REASONS)] == ["1", "3", "2", "0"]


@pytest.mark.parametrize(
    ("bits", "count", "product"),
    [
        (3, 4, 12),
        (0, math.inf, 0),
        (math.inf, 0, 0),
        (math.inf, 2, math.inf),
        (1, math.inf, math.inf),
    ],
)
def test_of_nothing_there_is_never_anything(bits: float, count: float, product: float) -> None:
    assert times(bits, count) == product


def test_ratings_are_words_in_their_order() -> None:
    assert [rating.word for rating in Rating] == ["low", "moderate", "high", "critical"]
    assert Rating.LOW < Rating.MODERATE < Rating.HIGH < Rating.CRITICAL
