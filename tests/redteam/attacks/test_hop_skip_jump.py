"""HopSkipJump against a linear model, whose distance to its boundary is known by arithmetic."""

import numpy as np

from extproc.redteam.attacks.hop_skip_jump import ATTACK, DISTANCE, size
from extproc.redteam.walks.unsaturated import Box
from tests.redteam.local_scene import cancer, digits, gains, label


async def test_walks_come_near_the_least_distance_and_not_below_it() -> None:
    known = cancer()
    box = Box(known.victim.low, known.victim.high)
    slope = (known.model.weights[:-1, 1] - known.model.weights[:-1, 0]) * box.half
    logits = known.model.logits(known.victim.task)
    least = np.abs(logits[:, 1] - logits[:, 0]) / np.linalg.norm(slope) / np.sqrt(len(slope))

    _, findings = await gains(ATTACK, known.scene(label, [100, 1_000, 10_000], 1))

    first, later, last = (finding.value for finding in findings)
    assert [finding.measure for finding in findings] == [DISTANCE] * 3
    assert first > later > last > least.min()
    assert last < 1.6 * np.median(least)


async def test_what_was_asked_on_the_way_trains_a_copy() -> None:
    known = digits()

    copies, _ = await gains(ATTACK, known.scene(label, [300, 3_000], 1))

    early, late = (known.agreement(copies[n][0].labels, known.test) for n in (300, 3_000))
    assert late > early
    assert late > 0.65


async def test_a_copy_has_asked_no_more_than_its_budget() -> None:
    scene = digits().scene(label, [65, 100, 300, 400], 1)

    budgets = []
    async for gain in ATTACK.run(scene):
        budgets.append(gain.budget)
        assert sum(map(len, scene.local.asked)) <= gain.budget
    assert budgets == [100, 100, 300, 300, 400, 400]


async def test_one_that_is_refused_comes_to_an_end() -> None:
    copies, findings = await gains(ATTACK, digits().scene(label, [100, 1_000], 1, refuse_after=0))
    assert (copies, findings) == ({}, [])

    copies, _ = await gains(ATTACK, digits().scene(label, [100, 1_000], 1, refuse_after=90))
    assert set(copies) == {100, 1_000}


def test_the_size_of_a_vector_of_ones_is_one() -> None:
    assert size(np.ones((2, 5))).tolist() == [1.0, 1.0]
