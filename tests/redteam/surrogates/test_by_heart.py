"""Copies that learn single answers by heart."""

import numpy as np

from extproc.redteam.surrogates import by_heart
from extproc.redteam.surrogates.by_heart import Known

ROWS = np.random.default_rng(0).random((400, 6))
TRUTH = (ROWS[:, 0] > 0.5).astype(np.int64)
ODD = np.arange(400) % 40 == 0
TOLD = np.where(ODD, 1 - TRUTH, TRUTH)
"""One answer of forty says the contrary."""


def test_a_perceptron_and_trees_say_again_what_single_rows_were_told() -> None:
    known, rng = Known(np.zeros(6), np.ones(6), 2), np.random.default_rng(1)
    taken = by_heart.course(len(ROWS), 400)
    for copy in (
        by_heart.perceptron(ROWS, TOLD, known, rng, taken),
        by_heart.trees(ROWS, TOLD, rng),
    ):
        assert np.mean(copy(ROWS)[ODD] == TOLD[ODD]) > 0.8
        assert np.mean(copy(ROWS) == TOLD) > 0.95


def test_a_course_is_so_many_times_around_all_rows() -> None:
    taken = by_heart.course(1_280, 10)
    assert taken.steps * taken.batch == 12_800
    assert by_heart.course(10, 1).steps == 1
