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


def test_a_full_run_is_all_policies_but_those_that_detect(tmp_path: Path) -> None:
    found = aim(Asked(directory=tmp_path))
    watched = {"watched", "watched-texts"}
    assert set(found.policies[1:]) == set(shipped()) - watched
    apart = aim(Asked(directory=tmp_path, attacks=("detection", "detection-texts")))
    assert set(apart.policies[1:]) == watched | {"standard"}


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
