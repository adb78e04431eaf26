"""Kernel ridge: leaving one out in closed form is leaving one out."""

import numpy as np

from extproc.redteam.surrogates import kernel


def test_leaving_each_row_out_in_closed_form_is_fitting_without_it() -> None:
    rng = np.random.default_rng(0)
    rows, wanted = rng.random((30, 2)), rng.random((30, 3))
    wanted -= wanted.mean(axis=0)  # the offset is no part of what is left out
    near = np.exp(-((rows[:, None] - rows) ** 2).sum(axis=2)) + 0.1 * np.eye(30)
    slow = []
    for at in range(30):
        others = np.arange(30) != at
        weights = np.linalg.solve(near[np.ix_(others, others)], wanted[others])
        slow.append(int((near[at, others] @ weights).argmax()))
    assert kernel.left_out(np.linalg.inv(near), wanted).tolist() == slow


def test_a_circle_is_learnt_from_few_answers_by_labels_and_by_scores() -> None:
    rng = np.random.default_rng(0)
    low, high = np.full(2, -4.0), np.full(2, 4.0)
    inputs, fresh = rng.uniform(low, high, (150, 2)), rng.uniform(low, high, (500, 2))

    def scores(
        at: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        inside = 1 / (1 + np.exp((at**2).sum(axis=1) - 9))
        return np.column_stack([inside, 1 - inside])

    truth = scores(fresh).argmax(axis=1)
    hard = np.eye(2)[scores(inputs).argmax(axis=1)]
    for targets, least in ((hard, 0.92), (scores(inputs), 0.95)):
        assert np.mean(kernel.fit(inputs, targets, low, high, rng)(fresh) == truth) > least


def test_no_more_rows_are_learnt_from_than_there_is_time_for() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.random((kernel.MOST + 10, 2))
    targets = np.eye(2)[(inputs[:, 0] > 0.5).astype(np.int64)]
    assert len(kernel.fit(inputs, targets, np.zeros(2), np.ones(2), rng).rows) == kernel.MOST


def test_a_width_is_chosen_that_follows_what_changes_fast() -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.random((200, 1)), rng.random((500, 1))
    hard, truth = ((np.sin(6 * np.pi * at[:, 0]) > 0).astype(int) for at in (inputs, fresh))
    copy = kernel.fit(inputs, np.eye(2)[hard], np.zeros(1), np.ones(1), rng)
    assert np.mean(copy(fresh) == truth) > 0.95


def test_what_it_says_is_brought_to_probabilities() -> None:
    for logarithm, said, likely in (
        (False, [0.6, 0.6, -3.0], [0.5, 0.5, 0.0]),
        (True, np.log([0.2, 0.5, 0.3]) + 7, [0.2, 0.5, 0.3]),
    ):
        one, row = np.ones(1), np.zeros((1, 1))
        copy = kernel.Kernel(one, row, 1.0, np.array([said]), np.zeros(3), logarithm)
        np.testing.assert_allclose(copy.probabilities(row), [likely], atol=1e-3)
