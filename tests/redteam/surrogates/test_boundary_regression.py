"""Points of the boundary say more than labels do."""

import numpy as np
import pytest

from extproc.redteam.surrogates import boundary_regression, softmax_regression
from extproc.redteam.walks.ledger import Ledger
from extproc.redteam.walks.line_search import Crossings, pairs, search
from tests.redteam.local_scene import cancer, label


async def test_a_copy_with_crossings_is_nearer_than_one_of_the_witnesses() -> None:
    known = cancer()
    scene = known.scene(label, [2_000], 1)
    ledger = Ledger(scene.classifier())
    await ledger.labels(known.victim.task)
    open_ = pairs(scene.rng, 60, ledger.inputs, ledger.answered)
    found = await search(ledger, open_, 10)

    with_them = boundary_regression.fit(ledger.inputs, ledger.answered, found, 2)
    task = known.victim.task
    without = softmax_regression.fit(task, known.model(task), 2)

    def angle(copy: softmax_regression.SoftmaxRegression) -> float:
        slopes = [w[:-1, 1] - w[:-1, 0] for w in (copy.weights, known.model.weights)]
        return float(slopes[0] @ slopes[1] / np.prod([np.linalg.norm(s) for s in slopes]))

    assert angle(with_them) > 0.99
    assert angle(with_them) > angle(without)


def test_on_a_crossing_both_classes_are_equally_likely() -> None:
    near, far = np.full((200, 1), 0.4), np.full((200, 1), 0.8)
    own, other = np.zeros(200, np.int64), np.ones(200, np.int64)
    ends = np.array([[-1.0], [2.0]])
    copy = boundary_regression.fit(ends, np.array([0, 1]), Crossings(near, far, own, other), 2)
    assert copy(ends).tolist() == [0, 1]
    assert copy.probabilities(np.array([[0.6]]))[0] == pytest.approx([0.5, 0.5], abs=0.02)
