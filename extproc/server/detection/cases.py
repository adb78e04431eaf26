"""The cases of this replica: a bounded number of callers that have been suspected.

Rule: where there are too many, of some looked at the one goes that says least: with neither a step
nor an operator's word, and the least suspicion.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from extproc.escalation import NOBODY, Case

_FEW: Final = 64


class Suspect(Struct, frozen=True):
    """A case, and whose it is."""

    subject: str
    tenant: str = ""
    """Empty where the subject is a cohort."""
    principal: str = ""
    """Empty where the subject is more than one."""
    route: str = ""
    """Of its latest exchange: by its policy it is judged."""
    case: Case = NOBODY
    evidence: Mapping[str, float] = {}
    """In nats, by detector, when it was looked at last."""
    said: float = 0.0
    """When an operator said something of it, in seconds since 1970."""
    also: tuple[Case, ...] = ()
    """See Verdict.also."""

    @property
    def harmless(self) -> bool:
        """Whether nobody would miss the case."""
        case = self.case
        return not (case.suspicion or case.override or case.spent or self.said) and case.step < 0


class Cases:
    def __init__(self, most: int) -> None:
        self._suspects: dict[str, Suspect] = {}
        self._most = most
        self._turn: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._suspects)

    def __contains__(self, subject: str) -> bool:
        return subject in self._suspects

    def get(self, subject: str) -> Suspect:
        return self._suspects.get(subject) or Suspect(subject)

    def case(self, subject: str) -> Case:
        found = self._suspects.get(subject)
        return NOBODY if found is None else found.case

    def put(self, suspect: Suspect) -> None:
        if suspect.harmless:
            self._suspects.pop(suspect.subject, None)
            return
        if suspect.subject not in self._suspects and len(self._suspects) >= self._most:
            del self._suspects[min(self.some(_FEW), key=_weight).subject]
        self._suspects[suspect.subject] = suspect

    def some(self, count: int) -> list[Suspect]:
        """So many of them, in turn."""
        found: dict[str, Suspect] = {}
        turns = 0
        while len(found) < min(count, len(self._suspects)) and turns < 2:
            subject = next(self._turn, None)
            if subject is None:
                self._turn, turns = iter(list(self._suspects)), turns + 1
            elif subject in self._suspects:
                found[subject] = self._suspects[subject]
        return list(found.values())

    def page(self, after: str, most: int) -> list[Suspect]:
        """In the order of subjects, those after this one."""
        names = heapq.nsmallest(most, (name for name in self._suspects if name > after))
        return [self._suspects[name] for name in names]

    def standing(self) -> int:
        """How many stand on a step."""
        return sum(each.case.step >= 0 for each in self._suspects.values())


def _weight(suspect: Suspect) -> tuple[bool, bool, float]:
    return suspect.case.override != "", suspect.case.step >= 0, suspect.case.suspicion
