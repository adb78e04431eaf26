"""Nothing is answered privately that was not paid for, and what it cost is known."""

import numpy as np
import pytest

from extproc.dialects.paid import NOBODY, Paid, Price
from extproc.errors import UpstreamError
from extproc.mutators import DiscreteLaplace, NoisyMax
from extproc.mutators.noisy_max import Threshold
from extproc.prediction import Prediction, Probabilities, Score, Votes

CHECKED = NoisyMax(noise="gaussian", scale=1.0, threshold=Threshold(votes=200, sigma=1.0))
LAPLACE = DiscreteLaplace(epsilon=1.0, low=0.0, high=1.0, step=0.1)
WHOLE = CHECKED.cost()
CHECK = CHECKED.spent(Votes(np.zeros(3, np.int64)))
PRICE = Price(WHOLE, CHECK)
SCORE = Price(LAPLACE.cost(), LAPLACE.cost())

KEYS = (b"a", b"b")


def one(place: int) -> Votes:
    return Votes(np.eye(3, dtype=np.int64)[place])


def nobody(_prediction: Prediction) -> Votes:
    return Votes(np.zeros(3, np.int64))


def values(prediction: Prediction | None) -> list[int]:
    assert isinstance(prediction, Votes)
    return [int(each) for each in prediction.values]


def test_what_is_answered_is_counted_as_it_turned_out() -> None:
    paid = Paid({"votes": PRICE, "score": SCORE}, {"votes": 2, "score": 1}, (), KEYS)
    assert values(paid.edit("votes", 0, lambda _: one(2))(one(1))) == [0, 0, 1]
    assert values(paid.edit("votes", 1, nobody)(one(1))) == [0, 0, 0]
    paid.edit("score", None, lambda before: before)(Score(0.5))
    assert paid.spent == {"votes": WHOLE + CHECK, "score": LAPLACE.cost()}
    assert paid.made == {b"a": 2, b"b": NOBODY}


def test_more_than_was_paid_for_is_not_answered() -> None:
    paid = Paid({"votes": PRICE}, {"votes": 1})
    paid.edit("votes", 0, lambda before: before)(one(0))
    with pytest.raises(UpstreamError, match="more votes are answered privately than was paid"):
        paid.edit("votes", 1, lambda before: before)(one(0))
    assert paid.spent == {"votes": WHOLE}


@pytest.mark.parametrize("recalled", [(), (1, 1)])
def test_two_ensembles_are_not_answered_for_one(recalled: tuple[int, ...]) -> None:
    """Planted: an output beside another of the same input was told as that one."""
    paid = Paid({"votes": PRICE}, {"votes": 2}, recalled, (b"a", b"a"))
    for at in (0, 1):
        assert values(paid.edit("votes", at, lambda _: one(1))(one(0))) == [0, 1, 0]
    with pytest.raises(UpstreamError, match="more votes about one input"):
        paid.edit("votes", 1, lambda _: one(2))(one(0))


def test_what_is_dropped_costs_nothing() -> None:
    paid = Paid({"votes": PRICE}, {"votes": 1})
    assert paid.edit("votes", 0, lambda _: None)(one(0)) is None
    assert (paid.spent, paid.made) == ({}, {})


def test_what_is_told_again_is_what_was_told_and_nothing_is_drawn() -> None:
    def fails(_prediction: Prediction) -> Prediction:
        raise AssertionError("drawn")

    paid = Paid({"votes": PRICE}, {"votes": 0}, (2, NOBODY, None))
    assert values(paid.edit("votes", 0, fails)(one(1))) == [0, 0, 1]
    assert values(paid.edit("votes", 1, fails)(one(1))) == [0, 0, 0]
    for at in (2, 3, None):
        with pytest.raises(UpstreamError, match="than was paid for"):
            paid.edit("votes", at, fails)(one(1))
    assert (paid.spent, paid.made) == ({}, {})


def test_what_was_told_of_other_classes_is_unreadable() -> None:
    for wrong in (one(1), Probabilities(np.ones(9) / 9)):
        paid = Paid({"votes": PRICE}, {"votes": 0}, (3,))
        with pytest.raises(UpstreamError, match="other classes"):
            paid.edit("votes", 0, nobody)(wrong)


def test_other_kinds_are_left_alone() -> None:
    def edit(before: Prediction) -> Prediction:
        return before

    assert Paid({"votes": PRICE}, {"votes": 1}).edit("score", 0, edit) is edit
