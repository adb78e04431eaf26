"""Which trials a run is made of.

Rule: the plan follows from what was asked for alone, and a trial's name from what it is: the same
trial has the same name, the same keys and the same questions in every plan.  Seeds come one after
another, each with all attacks, so that a run that is broken off has a whole picture of some seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from extproc.redteam.attack import BUDGETS, Attack
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.policy_choice import BASELINE, Choice, Misuse

LARGEST: Final = (*BUDGETS, 10_000, 30_000)
"""The budgets of an attack that states none of its own, where ``--budget`` allows them."""
QUICK_BUDGET: Final = 1_000
"""The largest budget of a quick run."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried; an empty choice is no choice: all of them."""

    attacks: Sequence[str] = ()
    victims: Sequence[str] = ()
    policies: Sequence[Choice] = ()
    seeds: Sequence[int] = (1, 2, 3, 4, 5)
    budget: int | None = None
    quick: bool = False
    everywhere: bool = False
    """Whether each attack is tried under each of the policies, which it is where they are named."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One attack on one victim under one policy with one seed."""

    attack: str
    victim: str
    policy: str
    """The label of a `Choice`."""
    seed: int
    budgets: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.attack} on {self.victim} under {self.policy}, seed {self.seed}"

    @property
    def party(self) -> str:
        """What the policy file calls those who attack: names there are short."""
        return "t" + sha256(self.name.encode()).hexdigest()[:24]

    def bystander(self, at: int) -> str:
        return f"{self.party}.{at}"


def plan(
    wanted: Wanted, attacks: Mapping[str, Attack], victims: Sequence[str]
) -> tuple[Planned, ...]:
    """All trials, in the order in which they are reported.

    Raise Misuse, in one sentence, where a name is unknown or nothing is left to try.
    """
    for kind, names, known in (
        ("attack", wanted.attacks, attacks),
        ("victim", wanted.victims, victims),
    ):
        for name in names:
            if name not in known:
                raise Misuse(f"there is no {kind} {name!r}: extproc redteam --list shows all")
    chosen = [attacks[name] for name in dict.fromkeys(wanted.attacks)] or _all(attacks, wanted)
    pairs = [(attack, victim) for attack in chosen for victim in _victims(attack, wanted)]
    if not pairs:
        raise Misuse("no attack is tried on that victim: extproc redteam --list shows which is")
    return tuple(
        trial
        for seed in dict.fromkeys(wanted.seeds)
        for attack, victim in pairs
        for trial in _under_policies(attack, victim, seed, wanted)
    )


def parties(trial: Planned, attack: Attack, policy: str) -> Iterator[Party]:
    """Those who attack in a trial, and bystanders: tenants that nothing else in the run has."""
    yield Party(trial.party, policy, attack.keys, attack.tenants, attack.linked)
    for at in range(attack.bystanders):
        yield Party(trial.bystander(at), policy, cohort=False)


def keys(trial: Planned, attack: Attack, issued: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The attacker's keys, then one of each bystander; none where none are issued."""
    if trial.party not in issued:
        return ()
    others = [issued[trial.bystander(at)][0] for at in range(attack.bystanders)]
    return (*issued[trial.party], *others)


def _all(attacks: Mapping[str, Attack], wanted: Wanted) -> list[Attack]:
    """Where none is named."""
    return [attack for attack in attacks.values() if wanted.quick or not attack.apart]


def _victims(attack: Attack, wanted: Wanted) -> list[str]:
    """An attack that is named is tried in a quick run too, if need be on its first victim."""
    those = attack.victims
    if wanted.quick and not wanted.victims:
        those = attack.quick or (attack.victims[:1] if wanted.attacks else ())
    return [name for name in those if not wanted.victims or name in wanted.victims]


def _under_policies(attack: Attack, victim: str, seed: int, wanted: Wanted) -> Iterator[Planned]:
    budgets = _budgets(attack, wanted)
    for choice in wanted.policies:
        if wanted.everywhere or _is_tried(attack, choice.label, wanted):
            yield Planned(attack.name, victim, choice.label, seed, budgets)


def _is_tried(attack: Attack, policy: str, wanted: Wanted) -> bool:
    """Whether it is under a policy that nobody named."""
    if policy == BASELINE or not attack.policies:
        return policy != BASELINE or attack.baseline
    return policy in attack.policies and (not wanted.quick or policy in attack.quick_policies)


def _budgets(attack: Attack, wanted: Wanted) -> tuple[int, ...]:
    largest = wanted.budget or (QUICK_BUDGET if wanted.quick else max((*attack.budgets, 1)))
    ladder = LARGEST if attack.budgets == BUDGETS else attack.budgets
    return tuple(each for each in ladder if each <= largest) or _least(attack, wanted)


def _least(attack: Attack, wanted: Wanted) -> tuple[int, ...]:
    return (wanted.budget,) if wanted.budget else attack.budgets[:1]
