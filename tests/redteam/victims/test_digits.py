import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from extproc.redteam.victims import digits
from extproc.redteam.victims.victim import ClassifierVictim
from tests.redteam.victims.splits import bounded, disjoint

VICTIMS = [digits.regression(), digits.perceptron(), digits.forest()]


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_its_inputs_are_dealt_apart_and_within_bounds(victim: ClassifierVictim) -> None:
    disjoint(victim)
    bounded(victim)
    assert len(victim.task) == len(victim.natural) == 30_000


def test_members_are_of_those_it_was_trained_on_and_the_others_are_not() -> None:
    images, labels = load_digits(return_X_y=True)
    fitted, *_ = train_test_split(images, labels, test_size=450, random_state=0, stratify=labels)
    known = {image.tobytes() for image in fitted}
    secret = VICTIMS[0].secret
    assert all(image.tobytes() in known for image in secret.members)
    assert not any(image.tobytes() in known for image in (*secret.others, *secret.test))


def test_the_first_of_the_attackers_images_are_real_ones() -> None:
    victim = VICTIMS[0]
    assert victim.real == 225
    np.testing.assert_array_equal(victim.task[: victim.real], victim.secret.others)
    assert len(np.unique(victim.task, axis=0)) > 28_000


def test_each_is_asked_by_its_own_name() -> None:
    paths = [victim.adapter.request(victim.task[:1], 0).path for victim in VICTIMS]
    names = ("digits", "digits-mlp", "digits-forest")
    assert paths == [f"/v2/models/{name}/infer" for name in names]
    assert [victim.linear for victim in VICTIMS] == [True, False, False]
