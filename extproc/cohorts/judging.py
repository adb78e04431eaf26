"""Cohorts and groups are judged: their evidence, and what it says of each member.

Rule: a bounded number of members is looked at, of the largest cohorts, in slices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Final

from extproc.canonical import Steps
from extproc.cohorts.cohort import Cohort, evidence, threshold
from extproc.cohorts.entry import NOWHERE
from extproc.cohorts.groups import DECLARED, Groups
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.lift import MARGIN, OWN, lift
from extproc.detectors.detector import Counters
from extproc.detectors.evidence import combined, suspicion

MEMBERS: Final = 8192
"""Of all cohorts together, at most."""
SLICE: Final = 16
"""Members."""
FEW: Final = 20
"""Groups that there are taken to be at least."""
CALLERS: Final = 128
"""Of groups, and groups that are counted, in one slice."""
PERIODS: Final = log(100)
"""Nats that one of all benign groups reaches in one of so many periods."""
SUSPICIOUS: Final = 0.5
"""Of groups that are less so nothing is said of a member."""
UNLINKED: Final = MARGIN - OWN
"""Nats against a member of a group that shares no more than an hour, an address or its client's
looks with the others: of such a group no member is lifted above a half, whatever it asks."""
LEAST: Final = 5
"""Callers of a group that is looked at."""

Known = Callable[[str], Counters | None]
"""The counters of a subject's profile, shape (layout's size,); None where it is forgotten."""


@dataclass
class Judged:
    """What was found at one time."""

    cohorts: dict[str, Cohort] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    """The cohort of each member."""
    evidence: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """In nats, by cohort and detector."""
    suspicions: dict[str, float] = field(default_factory=dict)
    """By cohort, and by group."""
    lifts: dict[str, float] = field(default_factory=dict)
    """By subject."""

    def raise_to(self, subject: str, lifted: float) -> None:
        if lifted > self.lifts.get(subject, 0.0):
            self.lifts[subject] = lifted


def cohorts_judged(
    judged: Judged, cohorts: Sequence[Cohort], known: Knowledge, counters: Known
) -> Steps[None]:
    """Yield at the end of each slice."""
    left = MEMBERS
    for cohort in cohorts:
        left -= len(cohort.members)
        if left < 0:
            return
        judged.cohorts[cohort.name] = cohort
        own: dict[str, Counters] = {}
        for number, member in enumerate(cohort.members):
            judged.members[member] = cohort.name
            if (found := counters(member)) is not None:
                own[member] = found
            if number % SLICE == SLICE - 1:
                yield
        yield from _cohort(judged, cohort, known, own, threshold(known.threshold, len(cohorts)))
        yield


def _cohort(
    judged: Judged, cohort: Cohort, known: Knowledge, own: dict[str, Counters], limit: float
) -> Steps[None]:
    if not own:
        return
    each = {}
    for number, (member, counted) in enumerate(own.items()):
        each[member] = known.layout.evidence(counted)
        if number % SLICE == SLICE - 1:
            yield
    told = evidence(known, list(own.values()), list(each.values()))
    judged.evidence[cohort.name] = told
    judged.suspicions[cohort.name] = reached = suspicion(combined(told), limit)
    for member, odds in zip(cohort.members, cohort.odds, strict=True):
        if member in each:
            own_nats = combined(each[member], known.discounts)
            judged.raise_to(member, lift(reached, odds, own_nats))


def _linked(group: str) -> float:
    return 0.0 if group.startswith(DECLARED) else UNLINKED


def groups_judged(judged: Judged, groups: Groups, own: Mapping[str, float]) -> Steps[None]:
    """``own`` is the evidence of each caller, in nats; yield at the end of each slice."""
    large = yield from _large(groups)
    limit, odds = threshold(PERIODS, max(len(large), FEW)), {}
    for number, group in enumerate(large):
        if group not in groups:
            continue  # it was forgotten meanwhile
        reached = suspicion(groups.evidence(group), limit)
        judged.suspicions[group] = reached
        if reached >= SUSPICIOUS:
            share = groups.share(group)
            odds[group] = (log(share / (1 - share)) if share else -inf) + _linked(group)
        if number % SLICE == SLICE - 1:
            yield
    yield from _lifted(judged, groups, odds, own)


def _large(groups: Groups) -> Steps[list[str]]:
    found = []
    for number, group in enumerate(groups):
        if group in groups and groups.size(group) >= LEAST:
            found.append(group)
        if number % CALLERS == CALLERS - 1:
            yield
    return found


def _lifted(
    judged: Judged, groups: Groups, odds: Mapping[str, float], own: Mapping[str, float]
) -> Steps[None]:
    """Whoever is in a group of which there are odds."""
    for number, caller in enumerate(tuple(groups.entries) if odds else ()):
        entry = groups.entries.get(caller, NOWHERE)
        for group in odds.keys() & set(entry.groups):
            told = lift(judged.suspicions[group], odds[group], own.get(caller, -inf))
            judged.raise_to(caller, told)
        if number % CALLERS == CALLERS - 1:
            yield
