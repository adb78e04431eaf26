"""Isolation forests: scores of a tree drawn by hand, what they are worth, and damaged files."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from extproc.detectors.forest import DEEPEST, Forest, worth
from extproc.detectors.session import NUMBERS
from extproc.errors import ConfigError

RANKS = np.array([0.4, 0.5, 0.45], np.float32)


def stump(bound: float = 0.5, number: int = 2) -> Forest:
    """Two trees: one asks about a number, and leaves what is above it alone; one asks nothing."""
    return Forest(
        np.array([[number], [0]], np.uint8),
        np.array([[bound], [np.inf]], np.float32),
        np.array([[8.0, 1.0], [5.0, 5.0]], np.float32),
        5.0,
        RANKS,
    )


def sessions(*values: float) -> npt.NDArray[np.float32]:
    rows = np.zeros((len(values), NUMBERS), np.float32)
    rows[:, 2] = values
    return rows


def test_what_few_questions_tell_apart_scores_high() -> None:
    # Planted: with >= in place of > the second is as the third.
    scores = stump().scores(sessions(0.1, 0.5, 0.6))
    assert scores == pytest.approx([2 ** -(6.5 / 5), 2 ** -(6.5 / 5), 2 ** -(3 / 5)])
    assert stump().scores(sessions()).shape == (0,)


def test_a_tree_of_two_levels_is_walked_to_each_of_its_leaves() -> None:
    forest = Forest(
        np.array([[2, 3, 4]], np.uint8),
        np.full((1, 3), 0.5, np.float32),
        np.array([[1.0, 2.0, 3.0, 4.0]], np.float32),
        1.0,
        RANKS,
    )
    rows = np.zeros((4, NUMBERS), np.float32)
    rows[2:, 2] = rows[1, 3] = rows[3, 4] = 1.0
    assert forest.scores(rows) == pytest.approx([0.5, 0.25, 0.125, 0.0625])


def test_the_rank_among_benign_sessions_is_what_a_score_is_worth() -> None:
    nats = worth(999)
    p = 1 / 1000
    most = math.log((1 - p + p * math.log(p)) / (p * math.log(p) ** 2))
    assert nats[0] == pytest.approx(most)
    assert most > 3.0
    assert nats[500] < 0.0
    assert nats[998:] == pytest.approx(math.log(0.5), abs=1e-3)
    assert (np.diff(nats) <= 1e-9).all()
    assert worth(1)[1] == pytest.approx(math.log(0.5))


def test_of_benign_sessions_its_expectation_is_one_at_most() -> None:
    """Each rank is as likely as another where no tree was grown on the sessions."""
    for ranks in (1, 50, 1000):
        assert 0.5 < np.exp(worth(ranks)).mean() <= 1.0 + 1e-9


def test_a_score_has_the_rank_of_how_many_are_as_high() -> None:
    # Planted: counting those that are higher alone gives a session of the ranks more than it is.
    forest = Forest(
        np.array([[2]], np.uint8),
        np.array([[0.5]], np.float32),
        np.array([[2.0, 1.0]], np.float32),
        1.0,
        np.array([0.25, 0.1, 0.5], np.float32),
    )
    assert forest.scores(sessions(0.1, 0.9)).tolist() == [0.25, 0.5]
    assert forest.evidence(sessions(0.1, 0.9)).tolist() == worth(3)[[2, 1]].tolist()


def test_it_comes_back_from_octets_as_it_was() -> None:
    forest = stump()
    again = Forest.load(forest.dump())
    rows = np.random.default_rng(0).random((20, NUMBERS)).astype(np.float32)
    np.testing.assert_array_equal(again.evidence(rows), forest.evidence(rows))
    assert again.dump() == forest.dump()


def test_octets_that_are_no_forest_are_refused_whatever_they_are() -> None:
    octets = stump().dump()
    rng = np.random.default_rng(0)
    for size in range(len(octets)):
        with pytest.raises(ConfigError):
            Forest.load(octets[:size])
    with pytest.raises(ConfigError):
        Forest.load(octets + b"x")
    rows = np.ones((2, NUMBERS), np.float32)
    for _ in range(300):
        damaged = bytearray(octets)
        damaged[int(rng.integers(len(octets)))] = int(rng.integers(256))
        try:
            evidence = Forest.load(bytes(damaged)).evidence(rows)
        except ConfigError:
            continue
        assert not np.isnan(evidence).any()


@pytest.mark.parametrize(
    ("place", "octet", "problem"),
    [
        (0, 0, "size"),
        (2, DEEPEST + 1, "size"),
        (4, 0, "size"),
        (4, 2, "cut off"),
        (12, NUMBERS, "no session has"),
        (17, 0xFF, "no number"),
    ],
)
def test_a_file_says_what_is_wrong_with_it(place: int, octet: int, problem: str) -> None:
    octets = bytearray(stump().dump())
    octets[place] = octet
    if problem == "no number":
        octets[14:18] = np.array([np.nan], "<f4").tobytes()
    with pytest.raises(ConfigError, match=problem):
        Forest.load(bytes(octets))


def test_arrays_that_do_not_fit_are_refused() -> None:
    numbers, bounds = np.zeros((1, 3), np.uint8), np.zeros((1, 3), np.float32)
    paths = np.ones((1, 4), np.float32)
    for other in (
        (numbers[:, :2], bounds[:, :2], paths[:, :3], RANKS),
        (numbers, bounds[:, :1], paths, RANKS),
        (numbers, bounds, paths[:, :2], RANKS),
        (numbers, bounds, paths, RANKS[:0]),
        (numbers[:0], bounds[:0], paths[:0], RANKS),
    ):
        with pytest.raises(ValueError, match="fit"):
            Forest(*other[:3], 1.0, other[3])
