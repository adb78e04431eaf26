import numpy as np
import pytest

from extproc.redteam.victims import digits, digits_private
from extproc.redteam.victims.victim import ClassifierVictim
from tests.redteam.victims.splits import bounded, disjoint

VICTIMS = [
    digits_private.plain(),
    digits_private.private_8(),
    digits_private.private_3(),
    digits_private.teachers(),
]


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_its_inputs_are_dealt_apart_and_within_bounds(victim: ClassifierVictim) -> None:
    disjoint(victim)
    bounded(victim)
    assert victim.adapter.request(victim.task[:1], 0).path == f"/v2/models/{victim.name}/infer"


def test_as_many_of_both_sides_are_odd() -> None:
    secret = VICTIMS[0].secret
    images, held, labels, held_labels = digits.split()
    true = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    true |= {image.tobytes(): label for image, label in zip(held, held_labels, strict=True)}
    for rows, told in ((secret.members, secret.member_truth), (secret.others, secret.other_truth)):
        wrong = [true[row.tobytes()] != label for row, label in zip(rows, told, strict=True)]
        assert (sum(wrong), len(wrong)) == (45, 225)


def test_they_differ_in_their_training_alone() -> None:
    first = VICTIMS[0].secret
    for other in VICTIMS[1:]:
        np.testing.assert_array_equal(first.members, other.secret.members)
        np.testing.assert_array_equal(first.member_truth, other.secret.member_truth)
        np.testing.assert_array_equal(first.other_truth, other.secret.other_truth)
