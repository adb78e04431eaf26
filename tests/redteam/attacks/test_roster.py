"""All attacks have what the others go by."""

from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules

import pytest

from extproc.redteam import attacks
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


def test_every_attack_that_is_written_is_in_it() -> None:
    names = [f"{attacks.__name__}.{each.name}" for each in iter_modules(attacks.__path__)]
    found = {
        value.name
        for name in names
        for value in vars(import_module(name)).values()
        if isinstance(value, Attack)
    }
    assert found == set(ATTACKS)
    assert all(attack.name == name for name, attack in ATTACKS.items())
