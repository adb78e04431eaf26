"""What a call of the command line is about: the trials, who is attacked in them, and where.

Rule: all that an option or a file can be wrong in is found here, before any process is started.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from extproc.redteam.attack import Attack
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.firing_range.benign_traffic import QUICK_SHARE, SHARE
from extproc.redteam.firing_range.opened import opened
from extproc.redteam.ground import Ground
from extproc.redteam.plan import Planned, Wanted, plan
from extproc.redteam.policy_choice import Choice, Misuse, choices, shipped
from extproc.redteam.target import target as own
from extproc.redteam.victims.roster import VICTIMS
from extproc.redteam.victims.victim import Victim

SEEDS: Final = 5
QUICK_SEEDS: Final = 3
"""Where the command line does not say."""
QUICK_POLICIES: Final = ("standard", "coarse", "watched", "private")
"""Besides none at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options, as they were given; empty where they were not."""

    directory: Path
    attacks: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    budget: int | None = None
    seeds: tuple[int, ...] = ()
    count: int | None = None
    """Of seeds."""
    quick: bool = False
    fresh: bool = False
    target: Path | None = None
    goals: Path | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all that the shipped goals are about."""
        chosen = (self.attacks, self.victims, self.policies, self.seeds, self.budget, self.target)
        return not (self.quick or any(chosen))

    def wanted(self, policies: tuple[Choice, ...]) -> Wanted:
        count = self.count or (QUICK_SEEDS if self.quick else SEEDS)
        return Wanted(
            self.attacks,
            self.victims,
            policies,
            self.seeds or tuple(range(1, count + 1)),
            self.budget,
            self.quick,
            bool(self.policies or self.target),
        )


@dataclass(frozen=True, slots=True)
class Aim:
    """What follows from the options."""

    trials: tuple[Planned, ...]
    attacks: Mapping[str, Attack]
    victims: Mapping[str, Victim]
    """Those of the trials."""
    files: tuple[Path, ...]
    """All that was read and numbers depend on."""
    policies: tuple[str, ...]
    """The baseline first, where there is one."""
    ground: AbstractAsyncContextManager[Ground] = field(repr=False)
    target: own.Target | None = None


def aim(asked: Asked) -> Aim:
    """Raise Misuse for what is wrong with an option, ValueError for what is with a file."""
    return _at_range(asked) if asked.target is None else _at_target(asked, asked.target)


def _at_range(asked: Asked) -> Aim:
    everything = QUICK_POLICIES if asked.quick else shipped()
    chosen = choices(asked.policies or everything)
    trials = plan(asked.wanted(chosen), ATTACKS, tuple(VICTIMS))
    victims = {name: VICTIMS[name]() for name in dict.fromkeys(t.victim for t in trials)}
    by_label = {choice.label: choice for choice in chosen}
    used = {trial.policy for trial in trials}
    files = tuple(dict.fromkeys(c.file for c in chosen if c.file and c.label in used))
    share = QUICK_SHARE if asked.quick else SHARE
    ground = opened(trials, ATTACKS, victims.values(), by_label, share)
    policies = tuple(label for label in by_label if label in used)
    return Aim(trials, ATTACKS, victims, files, policies, ground)


def _at_target(asked: Asked, path: Path) -> Aim:
    if asked.policies or asked.victims:
        raise Misuse("--target has its own victim and policy: leave out --victim and --policy")
    target = own.load(path)
    attacks = target.attacks(ATTACKS)
    for name in asked.attacks:
        if name in ATTACKS and name not in attacks:
            raise Misuse(f"{path} does not have what {name} needs: extproc redteam --list")
    if not attacks:
        raise ValueError(f"{path}: it has no keys enough for any attack: add some to keys")
    policies = tuple(Choice(label) for label in target.policies)
    trials = plan(asked.wanted(policies), attacks, (target.file.name,))
    victims = {target.file.name: target.victim}
    ground = target.ground(trials, attacks)
    return Aim(trials, attacks, victims, target.files, target.policies, ground, target)
