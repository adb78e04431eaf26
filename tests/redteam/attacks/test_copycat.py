"""Copycat: labels of photographs alone, with a share for each label."""

import asyncio

from extproc.redteam.attacks.copycat import ATTACK
from tests.redteam.digits_tasks import task
from tests.redteam.local import agreements


def test_labels_of_photographs_copy_far_more_than_guessing() -> None:
    found = asyncio.run(
        agreements(ATTACK, task("logistic regression", 1_200), (100, 1_000), mode="full")
    )
    assert found[-1] > 0.6
    assert found[-1] > found[0]


def test_scores_give_it_no_more_than_labels() -> None:
    one, other = (
        asyncio.run(agreements(ATTACK, task("logistic regression", 1_200), (100,), mode=mode))
        for mode in ("full", "label")
    )
    assert one == other
