import numpy as np
import pytest

from extproc.redteam.victims import tabular
from extproc.redteam.victims.victim import ClassifierVictim
from tests.redteam.victims.splits import bounded, disjoint

VICTIMS = [tabular.cancer(), tabular.wine()]


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_its_rows_are_dealt_apart_and_within_bounds(victim: ClassifierVictim) -> None:
    disjoint(victim)
    bounded(victim)
    assert victim.linear
    assert len(victim.task) == len(victim.natural) == 12_000


def test_members_and_others_are_as_many() -> None:
    for victim in VICTIMS:
        assert len(victim.secret.members) == len(victim.secret.others)


def test_the_first_of_the_attackers_rows_are_real_ones() -> None:
    for victim in VICTIMS:
        own = victim.secret.others
        np.testing.assert_array_equal(victim.task[: len(own)], own)
