"""What a copy costs: queries, keys, money and time until it agrees so often, and how many times
what it costs without a defence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from extproc.redteam.measures.interval import Interval, of_share
from extproc.redteam.measures.reach import Bound, Multiplier, Reach, multiplier, reach
from extproc.redteam.report.frontier import curves, frontier
from extproc.redteam.report.model import Model


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the best of all attacks, until the level."""

    victim: str
    policy: str
    measure: str
    level: float
    attack: str
    """The one that leads at the end."""
    seeds: Mapping[int, Reach]

    @property
    def bound(self) -> Bound:
        sides = {each.bound for each in self.seeds.values()}
        return next(
            (side for side in (Bound.AT_LEAST, Bound.AT_MOST) if side in sides), Bound.EXACT
        )

    @property
    def reached(self) -> Interval:
        """How many of the seeds got there."""
        return of_share(sum(each.reached for each in self.seeds.values()), len(self.seeds))

    @property
    def queries(self) -> float:
        """Geometric mean; of those that never got there, what they had spent."""
        logs = [log(each.queries) for each in self.seeds.values()]
        return exp(sum(logs) / len(logs))

    @property
    def served(self) -> float:
        return sum(each.served for each in self.seeds.values()) / len(self.seeds)

    @property
    def keys(self) -> int:
        return max(each.keys for each in self.seeds.values())

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.seeds.values()) / len(self.seeds)


def cost(model: Model, victim: str, policy: str, measure: str, level: float) -> Cost | None:
    """None where nothing was measured."""
    leads = frontier(model, victim, policy, measure)
    if not leads:
        return None
    seeds = {seed: reach(curve, level) for seed, curve in curves(leads).items()}
    return Cost(victim, policy, measure, level, leads[-1].cell.key.attack, seeds)


def times(policy: Cost, none: Cost) -> Multiplier | None:
    """Over the seeds that both have; None where there are none."""
    seeds = sorted(policy.seeds.keys() & none.seeds.keys())
    if not seeds:
        return None
    return multiplier([policy.seeds[seed] for seed in seeds], [none.seeds[seed] for seed in seeds])
