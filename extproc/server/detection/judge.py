"""Judges callers: what is known of one, what that comes to, and who is told.

Rule: a listener that fails is no reason for another not to be told, nor for anything else.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from extproc.allowances import Allowances, Allowing
from extproc.cohorts.linker import Life, Linker
from extproc.detectors.evidence import ALARM, combined
from extproc.detectors.observation import Observation
from extproc.detectors.profile import Layout
from extproc.escalation import Case, Judged, Ladder, Override, forgiven, judged, overridden
from extproc.server.detection.cases import Cases, Suspect
from extproc.server.detection.companies import COHORT, Companies
from extproc.server.detection.finding import Finding, Listener
from extproc.server.detection.settings import Find, Settings, Terms
from extproc.server.detection.told import counts, distinct, step
from extproc.server.record import Records
from extproc.stores.contribution import Verdict, joined
from extproc.stores.profiles import Profile

_CASES: Final = 100_000
_SURE: Final = 1 - 1e-9
"""A suspicion that is lifted higher is taken for so much where evidence is made of it."""
_NOWHERE: Final = Ladder()


class Known(Struct, frozen=True, eq=False):
    """What is known of a subject, and the evidence that makes."""

    profile: Profile | None = None
    evidence: Mapping[str, float] = {}


Read = Callable[[str, float], Profile | None]
"""What is known of a subject, with what other replicas know, as of a time."""


class Judge:
    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        read: Read,
        find: Find,
        records: Records,
        linker: Linker | None = None,
    ) -> None:
        self.cases = Cases(min(_CASES, settings.profiles))
        self.linker = linker
        self._companies = Companies()
        self.listeners: list[Listener] = []
        self.changed: Callable[[str], None] = _nobody
        """Told whose case other replicas should hear of."""
        self.allowances: Allowing = Allowances()
        self.faults = 0
        """Listeners that failed."""
        self._settings, self._layout, self._read = settings, layout, read
        self._find, self._records = find, records
        self._cohorts: set[str] = set()
        """Those that there were when they were found last."""

    def known(self, subjects: Sequence[str], now: float) -> list[Known]:
        """What is known of each: of many at once it takes a tenth of the time."""
        profiles = [self._read(subject, now) for subject in subjects]
        counters = np.array([each.counters for each in profiles if each is not None], np.float32)
        nats = self._layout.evidences(counters.reshape(-1, self._layout.size))
        evidences = (dict(zip(self._layout.names, row, strict=True)) for row in nats.tolist())
        return [Known() if each is None else Known(each, next(evidences)) for each in profiles]

    def look(
        self, subject: str, observation: Observation, now: float, known: Known | None = None
    ) -> float:
        """Judge anew whose exchange was counted; return how much speaks against it, in nats.

        ``known`` where that has been found out.
        """
        suspect = self.cases.get(subject)
        if not subject.startswith(COHORT):
            principal = observation.principal if self._settings.per == "principal" else ""
            suspect = replace(suspect, tenant=observation.tenant, principal=principal)
        terms = self._find(observation.tenant, observation.route)
        if terms is None:
            return 0.0
        suspect = replace(suspect, route=observation.route)
        return self._look(suspect, terms, now, known, observation)

    def again(self, subject: str, now: float) -> None:
        """Look at a case without an exchange: what it stands on ends."""
        suspect = self.cases.get(subject)
        terms = self.terms(suspect)
        if terms is not None:
            self._look(suspect, terms, now)

    def override(self, subject: str, said: Override, now: float, ends: float = 0.0) -> Suspect:
        """``ends`` 0 for never."""
        suspect = self.cases.get(subject)
        case = overridden(suspect.case, said, ends)
        suspect = replace(suspect, case=case, said=now, also=())
        self._put(suspect)
        return suspect

    def forgive(self, subject: str, now: float) -> Suspect:
        suspect = self.cases.get(subject)
        profile, terms = self._read(subject, now), self.terms(suspect)
        nats = 0.0
        if profile is not None:
            discount = self._settings.discount(terms.traffic if terms is not None else "")
            nats = combined(self._layout.evidence(profile.counters), discount)
        before, case = suspect.case, forgiven(suspect.case, nats)
        suspect = replace(suspect, case=case, said=now, also=())
        self._put(suspect)
        if before.step >= 0 and terms is not None:
            descended = Judged(case, "descended")
            self._tell(self._finding(suspect, terms, before, descended, profile, now))
        return suspect

    def terms(self, suspect: Suspect) -> Terms | None:
        """What applies to it; None where the policy has no such any more."""
        return self._find(suspect.tenant, suspect.route)

    def step(self, suspect: Suspect) -> str:
        """The name of the step that it stands on; empty for none."""
        terms = self.terms(suspect)
        return step(self._ladder(suspect, terms), suspect.case) if terms is not None else ""

    def counts(self, subject: str, now: float) -> Mapping[str, int]:
        """What was counted of it; nothing where nothing is known."""
        return counts(self._layout, self._read(subject, now))

    def verdict(self, subject: str) -> Verdict:
        """What is said of a case here, for other replicas."""
        return _verdict(self.cases.get(subject))

    def hear(self, subject: str, verdict: Verdict) -> None:
        """What others say of one; it is they who tell of it."""
        suspect = self.cases.get(subject)
        found = joined(_verdict(suspect), verdict)
        whose = {"tenant": found.tenant, "principal": found.principal, "route": found.route}
        self.cases.put(replace(suspect, **whose, case=found.case, said=found.said, also=found.also))

    def _put(self, suspect: Suspect) -> None:
        """Keep a case that has changed."""
        self.cases.put(suspect)
        self.changed(suspect.subject)

    def _count(
        self,
        observation: Observation,
        subject: str,
        terms: Terms,
        profile: Profile,
        evidence: Mapping[str, float],
    ) -> None:
        """Among those whom it has something in common with."""
        if self.linker is None:
            return
        life = Life(profile.first, distinct(profile.asked), profile.counters, evidence)
        if self.linker.count(observation, subject, terms.cohort, terms.traffic, life):
            self.changed(subject)

    def _lifted(self, subject: str, terms: Terms) -> float:
        """As evidence, in nats: what the company says that it is in."""
        lifted = self.linker.lift(subject) if self.linker is not None else 0.0
        if not lifted:
            return 0.0
        return -math.log10(1 - min(lifted, _SURE)) * self._settings.threshold(terms.traffic)

    def _look(
        self,
        suspect: Suspect,
        terms: Terms,
        now: float,
        known: Known | None = None,
        observation: Observation | None = None,
    ) -> float:
        if known is None:
            (known,) = self.known([suspect.subject], now)
        profile, evidence = known.profile, known.evidence
        if observation is not None and profile is not None:
            self._count(observation, suspect.subject, terms, profile, evidence)
        nats = combined(evidence, self._settings.discount(terms.traffic))
        nats = max(0.0, nats, self._lifted(suspect.subject, terms))
        before = suspect.case
        found = self._judged(suspect, terms, nats, now)
        suspect = replace(suspect, case=found.case, evidence=evidence)
        self.cases.put(suspect)
        if found.change in {"climbed", "descended"}:
            self.changed(suspect.subject)
        risen = before.suspicion < ALARM <= found.case.suspicion
        if risen or found.change in {"climbed", "descended"}:
            self._tell(self._finding(suspect, terms, before, found, profile, now))
        return nats

    def _finding(
        self,
        suspect: Suspect,
        terms: Terms,
        before: Case,
        found: Judged,
        profile: Profile | None,
        now: float,
    ) -> Finding:
        ladder, case = self._ladder(suspect, terms), found.case
        return Finding(
            time=now,
            subject=suspect.subject,
            tenant=suspect.tenant,
            principal=suspect.principal,
            traffic=terms.traffic,
            suspicion=case.suspicion,
            evidence=suspect.evidence,
            counts=counts(self._layout, profile),
            before=step(ladder, before),
            after=step(ladder, case),
            escalated=found.change == "climbed",
            until=case.until,
            shadow=ladder.shadow or terms.shadow,
            policy=terms.policy,
        )

    def _judged(self, suspect: Suspect, terms: Terms, nats: float, now: float) -> Judged:
        ladder = self._ladder(suspect, terms)
        policy, hourly, subject = ladder.policy, ladder.hourly, suspect.subject
        may = partial(self.allowances.take, policy, hourly, subject, now)
        return judged(ladder, suspect.case, nats, self._settings.threshold(terms.traffic), now, may)

    def _ladder(self, suspect: Suspect, terms: Terms) -> Ladder:
        """Nothing is done about whoever is exempt; a cohort's members are met, not the cohort."""
        away = terms.exempt or suspect.subject.startswith(COHORT)
        return _NOWHERE if away else terms.ladder

    def companies(self, now: float) -> None:
        """Since they were found anew: keep cohorts as cases, and tell of cohorts and groups that
        have become suspicious.
        """
        if self.linker is None:
            return
        found = self.linker.judged
        for name in self._cohorts - found.cohorts.keys():
            self.cases.put(Suspect(name))
        self._cohorts = set(found.cohorts)
        for name in found.cohorts:
            suspect, evidence = self.cases.get(name), found.evidence.get(name, {})
            case = replace(suspect.case, suspicion=found.suspicions.get(name, 0.0))
            self.cases.put(replace(suspect, case=case, evidence=evidence))
        for finding in self._companies.found(found, self.linker.groups, now):
            self._tell(finding)

    def _tell(self, finding: Finding) -> None:
        for listener in self.listeners:
            try:
                listener.found(finding)
            except Exception as error:  # noqa: BLE001 - see the module's rule
                self.faults += 1
                self._records.fault(error)


def _verdict(suspect: Suspect) -> Verdict:
    whose = suspect.tenant, suspect.principal, suspect.route
    return Verdict(*whose, suspect.case, suspect.said, suspect.also)


def _nobody(_subject: str) -> None:
    return
