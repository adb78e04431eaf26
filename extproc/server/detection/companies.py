"""Cohorts, and groups of callers, that have become suspicious: told as findings.

Rule: each is told once, until it has been half as suspicious as that.  Nothing is done to one: its
members are met, as far as it says anything of them.
"""

from collections.abc import Iterator
from typing import Final

from extproc.cohorts.groups import Groups
from extproc.cohorts.judging import Judged
from extproc.detectors.evidence import ALARM
from extproc.server.detection.finding import Finding

COHORT: Final = "cohort:"
"""What the subject of a cohort begins with."""
_AGAIN: Final = ALARM / 2


class Companies:
    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def found(self, judged: Judged, groups: Groups, now: float) -> Iterator[Finding]:
        """What is to be told of those that were judged at ``now``, in seconds since 1970."""
        before, suspicions = self._told, judged.suspicions
        known = judged.cohorts.keys() | set(groups)
        high = (name for name, told in suspicions.items() if told >= ALARM and name in known)
        new = [name for name in high if name not in before]
        kept = (name for name in before if suspicions.get(name, 0.0) >= _AGAIN)
        self._told = frozenset([*kept, *new])
        for name in new:
            yield _finding(name, judged, groups, now)


def _finding(name: str, judged: Judged, groups: Groups, now: float) -> Finding:
    cohort = judged.cohorts.get(name)
    return Finding(
        time=now,
        subject=name if cohort else COHORT + name,
        tenant="",
        principal="",
        traffic="" if cohort else groups.traffic(name),
        suspicion=judged.suspicions[name],
        evidence=judged.evidence[name] if cohort else {"excess": groups.evidence(name)},
        counts={"members": len(cohort.members) if cohort else groups.size(name)},
    )
