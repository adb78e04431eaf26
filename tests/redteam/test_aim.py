"""What a call of the command line is about."""

from pathlib import Path

import pytest

from extproc.redteam.aim import Asked, aim
from extproc.redteam.firing_range.firing_range import SHIPPED
from extproc.redteam.policy_choice import Misuse, shipped
from tests.redteam.target.test_target import _target

ONE = ("equation-solving",)


def test_a_quick_run_is_three_policies_and_three_seeds(tmp_path: Path) -> None:
    found = aim(Asked(directory=tmp_path, quick=True, attacks=ONE, victims=("digits",)))
    assert {trial.policy for trial in found.trials} == {"none", "standard", "coarse"}
    assert {trial.seed for trial in found.trials} == {1, 2, 3}
    assert found.files == (SHIPPED,)
    assert found.victims.keys() == {"digits"}


def test_a_full_run_has_five_seeds(tmp_path: Path) -> None:
    found = aim(Asked(directory=tmp_path, attacks=ONE, victims=("digits",)))
    assert {trial.seed for trial in found.trials} == {1, 2, 3, 4, 5}
    assert found.policies == ("none", "full", "standard", "coarse", "metered")
    assert found.files == (SHIPPED,), "policies that nothing is tried under are left aside"


def test_a_full_run_is_all_policies_but_those_that_have_a_run_of_their_own(tmp_path: Path) -> None:
    found = aim(Asked(directory=tmp_path))
    watched = {"watched", "watched-texts"}
    assert set(found.policies[1:]) == set(shipped()) - watched - {"private", "marked"}
    apart = aim(Asked(directory=tmp_path, attacks=("detection", "detection-texts")))
    assert set(apart.policies[1:]) == watched | {"standard"}
    private = aim(Asked(directory=tmp_path, attacks=("private-votes", "membership-votes")))
    assert set(private.policies[1:]) == {"private"}


def test_a_quick_run_asks_the_ensemble_for_more_than_it_is_promised(tmp_path: Path) -> None:
    trials = aim(Asked(directory=tmp_path, quick=True)).trials
    private = {(each.attack, each.policy) for each in trials if each.victim == "digits-teachers"}
    assert private == {("private-votes", "none"), ("private-votes", "private")}
    assert "membership-votes" not in {each.attack for each in trials}


def test_a_target_is_attacked_with_what_fits_it(tmp_path: Path) -> None:
    _target(tmp_path)
    path = tmp_path / "target.yaml"
    found = aim(Asked(directory=tmp_path, target=path, attacks=ONE, seeds=(7,)))
    assert [(t.victim, t.policy, t.seed) for t in found.trials] == [("mine", "target", 7)]
    assert found.files == (path, tmp_path / "rows.npy")
    with pytest.raises(Misuse, match="leave out --victim and --policy"):
        aim(Asked(directory=tmp_path, target=path, policies=("full",)))


def test_a_target_that_nothing_can_be_tried_on_is_said(tmp_path: Path) -> None:
    _target(tmp_path, keys=[])
    path = tmp_path / "target.yaml"
    with pytest.raises(Misuse, match="does not have what equation-solving needs"):
        aim(Asked(directory=tmp_path, target=path, attacks=ONE))
    with pytest.raises(ValueError, match="no keys enough for any attack"):
        aim(Asked(directory=tmp_path, target=path))
