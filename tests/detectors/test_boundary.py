"""Where answers lie: walks along a boundary, and every class alike."""

import math

import numpy as np

from extproc.detectors.boundary import Boundary
from tests.detectors.scenes import (
    does_not_depend_on_order,
    evidence,
    exchange,
    says_nothing_of_nobody,
)

SURE = (0.005, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.61)


def test_neither_order_nor_replicas_nor_decay_change_it() -> None:
    does_not_depend_on_order(Boundary(), np.random.default_rng(0))


def test_nothing_is_said_of_nobody() -> None:
    says_nothing_of_nobody(Boundary())


def test_a_walk_along_the_boundary_is_noticed_within_fifty_answers() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        margins = rng.geometric(0.4, 50).clip(1, 8) - 1
        assert evidence(Boundary(), [exchange(margins=margins)]) > 12.0


def test_answers_that_are_sure_are_not_and_neither_is_who_asks_what_is_hard() -> None:
    rng = np.random.default_rng(2)
    for count in (20, 50, 300, 3000):
        for strength in (5, 30, 1000):
            margins = rng.choice(8, count, p=rng.dirichlet(np.array(SURE) * strength + 0.02))
            assert evidence(Boundary(), [exchange(margins=margins)]) < 4.0


def test_every_class_alike_says_something_however_long_and_habits_nothing() -> None:
    rng = np.random.default_rng(3)
    for count in (200, 100_000):
        uniform = [exchange(labels=rng.integers(0, 16, count))]
        assert 4.0 < evidence(Boundary(), uniform) <= 5.0
        habits = [exchange(labels=rng.choice(16, count, p=rng.dirichlet(np.full(16, 0.4))))]
        assert evidence(Boundary(), habits) < 0.0


def test_vectors_of_all_lengths_say_something_and_those_of_one_nothing() -> None:
    rng = np.random.default_rng(4)
    assert 4.0 < evidence(Boundary(), [exchange(norms=rng.integers(0, 8, 50))]) <= 5.0
    assert evidence(Boundary(), [exchange(norms=[4] * 48 + [3] * 2)]) < 0.0


def test_a_few_answers_say_nothing() -> None:
    few = [exchange(labels=range(7), margins=[0] * 7, norms=range(7))]
    assert evidence(Boundary(), few) == -math.inf


def test_an_exchange_without_an_answer_counts_nothing() -> None:
    assert evidence(Boundary(), [exchange()] * 20) == -math.inf
