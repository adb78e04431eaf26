"""Line searches for labels alone: no weaker than the reference, and near the boundary at last."""

import numpy as np
import pytest

from extproc.redteam.attacks.label_boundary import ATTACK
from tests.redteam.local_scene import Known, cancer, digits, gains, label

# As the reference reports for labels: agreement on real and on random inputs.
REFERENCE = [
    pytest.param(cancer(), 620, 0.989, 0.980, id="cancer-620"),
    pytest.param(digits(), 325, 0.820, 0.577, id="digits-325"),
]


@pytest.mark.parametrize(("known", "budget", "task", "uniform"), REFERENCE)
async def test_it_is_no_weaker_than_the_reference(
    known: Known, budget: int, task: float, uniform: float
) -> None:
    ours = []
    for seed in range(5):
        copies, _ = await gains(ATTACK, known.scene(label, [budget], seed))
        copy = copies[budget][0].labels
        ours.append(known.agreement(copy, known.test) + known.agreement(copy, known.uniform()))

    error = np.std(ours, ddof=1) / np.sqrt(5)
    assert np.mean(ours) >= task + uniform - 2 * error


@pytest.mark.slow
async def test_ten_thousand_labels_give_nearly_all_of_ten_classes() -> None:
    copies, _ = await gains(ATTACK, digits().scene(label, [1_000, 10_000], 1))

    uniform = [digits().agreement(copies[n][0].labels, digits().uniform()) for n in copies]
    assert uniform[1] > 0.97
    assert uniform[1] > uniform[0]


async def test_a_copy_has_asked_no_more_than_its_budget() -> None:
    scene = digits().scene(label, [100, 300], 1)

    async for gain in ATTACK.run(scene):
        assert sum(map(len, scene.local.asked)) == gain.budget


async def test_one_that_is_refused_comes_to_an_end_with_what_it_had() -> None:
    scene = digits().scene(label, [100, 300], 1, refuse_after=50)

    copies, _ = await gains(ATTACK, scene)

    assert set(copies) == {100, 300}
    assert sum(map(len, scene.local.asked)) < 100
    nothing, _ = await gains(ATTACK, digits().scene(label, [100], 1, refuse_after=0))
    assert nothing == {}
