"""Which trials a run is made of."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Needs
from extproc.redteam.plan import Planned, Wanted, keys, parties, plan
from extproc.redteam.policy_choice import Choice, Misuse
from extproc.redteam.scene import Scene


async def _never(scene: Scene) -> AsyncIterator[Gain]:
    await scene.classifier().ask(scene.target.task)
    yield Finding("never", 0.0)


ONE = Attack(
    name="one",
    paper="",
    family=Family.COPY,
    needs=(Needs.LABELS,),
    kind=Kind.CLASSIFIER,
    run=_never,
    victims=("digits", "wine"),
    quick=("wine",),
)
TWO = replace(ONE, name="two", victims=("digits",), quick=(), budgets=(50, 5_000), policies=("b",))
ATTACKS = {"one": ONE, "two": TWO}
POLICIES = (Choice("none"), Choice("standard"), Choice("b"))
VICTIMS = ("digits", "wine", "cancer")


def _planned(wanted: Wanted) -> list[Planned]:
    return list(plan(wanted, ATTACKS, VICTIMS))


def test_everything_is_tried_on_its_victims_under_its_policies_seed_after_seed() -> None:
    found = _planned(Wanted(policies=POLICIES, seeds=(1, 2)))
    assert [trial.seed for trial in found] == [1] * 6 + [2] * 6
    assert [(t.attack, t.victim, t.policy) for t in found[:6]] == [
        ("one", "digits", "none"),
        ("one", "digits", "standard"),
        ("one", "wine", "none"),
        ("one", "wine", "standard"),
        ("two", "digits", "none"),
        ("two", "digits", "b"),
    ]


def test_a_quick_run_is_its_quick_victims_and_small_budgets() -> None:
    found = _planned(Wanted(policies=POLICIES, seeds=(1,), quick=True))
    assert {(trial.attack, trial.victim) for trial in found} == {("one", "wine")}
    assert {trial.budgets for trial in found} == {(100, 300, 1_000)}


def test_a_full_run_leaves_an_attack_to_a_run_of_its_own() -> None:
    attacks = {"one": replace(ONE, apart="others"), "two": TWO}
    wanted = Wanted(policies=POLICIES, seeds=(1,))
    assert {trial.attack for trial in plan(wanted, attacks, VICTIMS)} == {"two"}
    named = plan(replace(wanted, attacks=("one",)), attacks, VICTIMS)
    assert {trial.attack for trial in named} == {"one"}
    quick = plan(replace(wanted, quick=True), attacks, VICTIMS)
    assert {trial.attack for trial in quick} == {"one"}


def test_a_quick_run_tries_an_attack_under_its_quick_policies() -> None:
    attacks = {"one": replace(ONE, policies=("standard", "b"), quick_policies=("b",))}
    for quick, policies in ((True, {"none", "b"}), (False, {"none", "standard", "b"})):
        found = plan(Wanted(policies=POLICIES, seeds=(1,), quick=quick), attacks, VICTIMS)
        assert {trial.policy for trial in found} == policies


def test_an_attack_on_what_only_a_policy_does_is_not_tried_without_one() -> None:
    attacks = {"one": replace(ONE, policies=("b",), baseline=False)}
    wanted = Wanted(victims=("digits",), policies=POLICIES, seeds=(1,))
    assert {trial.policy for trial in plan(wanted, attacks, VICTIMS)} == {"b"}
    named = plan(replace(wanted, everywhere=True), attacks, VICTIMS)
    assert {trial.policy for trial in named} == {"none", "standard", "b"}


def test_an_attack_that_is_named_is_tried_in_a_quick_run_too() -> None:
    found = _planned(Wanted(attacks=("two",), policies=POLICIES, seeds=(1,), quick=True))
    assert {(trial.victim, trial.budgets) for trial in found} == {("digits", (50,))}


def test_policies_that_are_named_hold_for_every_attack() -> None:
    found = _planned(Wanted(policies=POLICIES[:2], seeds=(1,), everywhere=True))
    assert ("two", "standard") in {(trial.attack, trial.policy) for trial in found}


@pytest.mark.parametrize(
    ("budget", "of_one", "of_two"),
    [
        (None, (100, 300, 1_000, 3_000), (50, 5_000)),
        (300, (100, 300), (50,)),
        (30_000, (100, 300, 1_000, 3_000, 10_000, 30_000), (50, 5_000)),
        (20, (20,), (20,)),
    ],
)
def test_a_budget_cuts_the_ladder_or_adds_to_it(
    budget: int | None, of_one: tuple[int, ...], of_two: tuple[int, ...]
) -> None:
    found = _planned(Wanted(policies=POLICIES, seeds=(1,), budget=budget))
    assert {t.attack: t.budgets for t in found} == {"one": of_one, "two": of_two}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(attacks=("three",)), "there is no attack 'three'"),
        (Wanted(victims=("moon",)), "there is no victim 'moon'"),
        (Wanted(victims=("cancer",)), "no attack is tried on that victim"),
    ],
)
def test_what_there_is_not_is_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        _planned(wanted)


def test_every_trial_has_tenants_of_its_own_and_bystanders_beside_it() -> None:
    attack = replace(ONE, keys=4, tenants=2, linked=False, bystanders=2)
    trials = _planned(Wanted(policies=POLICIES, seeds=(1, 2)))
    names = [party.name for trial in trials for party in parties(trial, attack, "p")]
    assert len(set(names)) == len(names) == 3 * len(trials)
    assert max(map(len, names)) < 60, "names in a policy file are short"

    mine, *others = parties(trials[0], attack, "p")
    assert (mine.keys, mine.tenants, mine.cohort, mine.policy) == (4, 2, False, "p")
    assert [(each.keys, each.cohort) for each in others] == [(1, False)] * 2


def test_the_attackers_keys_come_first_and_then_the_bystanders() -> None:
    attack = replace(ONE, keys=2, bystanders=2)
    trial = _planned(Wanted(policies=POLICIES, seeds=(1,)))[0]
    issued = {trial.party: ["a", "b"], trial.bystander(0): ["c"], trial.bystander(1): ["d"]}
    assert keys(trial, attack, issued) == ("a", "b", "c", "d")
    assert keys(trial, attack, {}) == (), "the model server itself asks for none"
