"""All attacks have what the others go by."""

from itertools import pairwise

import pytest

from extproc.redteam.attack import Attack
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.policy_choice import BASELINE, shipped
from extproc.redteam.victims.roster import VICTIMS


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_names_what_there_is(attack: Attack) -> None:
    assert attack.victims
    assert {*attack.victims, *attack.quick} <= VICTIMS.keys()
    assert set(attack.quick) <= set(attack.victims)
    assert set(attack.policies) <= {BASELINE, *shipped()}
    assert attack.paper
    assert attack.needs


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_its_budgets_ascend_and_its_keys_are_dealt_evenly(attack: Attack) -> None:
    assert attack.budgets
    assert all(less < more for less, more in pairwise(attack.budgets))
    assert attack.keys % attack.tenants == 0
    names = [measure.name for measure in attack.measures]
    assert len(set(names)) == len(names)
