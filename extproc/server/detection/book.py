"""What the watcher of this process knows, as an operator asks for it."""

import time
from collections.abc import Callable, Sequence

from extproc.accounts.suspects import Word
from extproc.escalation import current
from extproc.server.detection.cases import Suspect
from extproc.server.detection.companies import COHORT
from extproc.server.detection.judge import Judge
from extproc.server.detection.suspects import Watched
from extproc.server.detection.watcher import Watcher


class Book:
    def __init__(
        self,
        watcher: Watcher,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        self._watcher, self._wall = watcher, wall

    def page(self, after: str, most: int) -> Sequence[Watched]:
        """Those of whom there is a case, in the order of their subjects, behind this one."""
        return [self._watched(each) for each in self._watcher.suspects(after, most)]

    def one(self, subject: str) -> Watched | None:
        """None where there is neither a case nor anything that was counted."""
        cases = self._watcher.judge.cases
        known = subject in cases or subject in self._watcher.profiles
        return self._watched(cases.get(subject)) if known else None

    async def override(self, subject: str, word: Word, until: float) -> None:
        """At once on this replica; raise StoreUnavailable where others may not hear of it."""
        match word:
            case "trust":
                self._watcher.override(subject, "trusted", until)
            case "freeze":
                self._watcher.override(subject, "frozen", until)
            case "forgive":
                self._watcher.forgive(subject)
        await self._watcher.written(subject)

    def _watched(self, suspect: Suspect) -> Watched:
        judge, now = self._watcher.judge, self._wall()
        case = current(suspect.case, now)
        terms = judge.terms(suspect)
        return Watched(
            subject=suspect.subject,
            tenant=_tenant(suspect),
            principal=suspect.principal,
            traffic=terms.traffic if terms is not None else "",
            suspicion=case.suspicion,
            step=judge.step(suspect),
            until=case.until,
            shadow=terms is not None and (terms.shadow or terms.ladder.shadow),
            word=case.override,
            word_until=case.ends,
            evidence=suspect.evidence,
            counts=judge.counts(suspect.subject, now),
            cohorts=_cohorts(judge, suspect.subject),
        )


def _cohorts(judge: Judge, subject: str) -> tuple[str, ...]:
    """That which it is in, if any."""
    found = judge.linker.judged.members.get(subject) if judge.linker is not None else None
    return () if found is None else (found,)


def _tenant(suspect: Suspect) -> str:
    """Of one of whom there was no exchange yet, as its subject has it."""
    if suspect.tenant or suspect.subject.startswith(COHORT):
        return suspect.tenant
    return suspect.subject.partition("|")[0]
