"""Points of the boundary say more than labels do."""

import numpy as np

from extproc.redteam.surrogates import boundary_regression, softmax_regression
from extproc.redteam.walks.ledger import Ledger
from extproc.redteam.walks.line_search import pairs, search
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
