"""Detection, asked again by what it learned of recorded exchanges.

Rule: what was learned holds for the reference that was in force then; what another policy changes
is thresholds, discounts, traffic classes, half-life and steps.  Nobody is judged by the company he
is in, of which a log tells too little.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from extproc.allowances import Allowances
from extproc.audit import Seen
from extproc.detectors.evidence import combined
from extproc.detectors.profile import Decay
from extproc.detectors.seen import features_of
from extproc.escalation import NOBODY, Case, Met, judged
from extproc.policy import Policy, PolicyTable
from extproc.server.detection.calibrated import Calibrated
from extproc.stores.profiles import Profiles
from extproc.treatment import met


class Watching:
    """Of one policy table, with its calibration; profiles begin empty."""

    def __init__(self, found: Calibrated, table: PolicyTable) -> None:
        self._settings, self._layout, self._table = found.settings, found.layout, table
        decay, draws = Decay(found.settings.half_life), np.random.default_rng(0)
        self._profiles = Profiles(self._layout, decay, found.settings.profiles, draws=draws)
        self._cases: dict[str, Case] = {}
        self._allowances, self._reference = Allowances(), found.settings.reference
        self.learned = self.unknown = 0
        """Exchanges that were looked at; and those of another reference, by which nobody can be
        judged."""

    def learn(self, seen: Seen) -> None:
        """Raise Malformed where it holds features that were never made."""
        now = seen.time.timestamp()
        features = features_of(now, seen.features)
        if seen.reference != self._reference:
            self.unknown += 1
            return
        self.learned += 1
        policy = self._table.policies.get((seen.tenant, seen.route))
        if policy is None:
            return
        subject = self._settings.subject(seen.tenant, seen.principal)
        self._profiles.add(subject, seen.tenant, features)
        profile = self._profiles.read(subject, now)
        assert profile is not None  # it was added just now
        evidence = self._layout.evidence(profile.counters)
        self._judge(policy, subject, combined(evidence, self._discounts(policy)), now)

    def steps(self, policy: Policy, tenant: str, principal: str, now: float) -> tuple[Met, ...]:
        """The steps of escalation that meet a request."""
        case = self._cases.get(self._settings.subject(tenant, principal), NOBODY)
        return () if policy.exempt else met(policy, case, now)

    def _judge(self, policy: Policy, subject: str, nats: float, now: float) -> None:
        ladder, before = policy.ladder, self._cases.get(subject, NOBODY)
        may = partial(self._allowances.take, ladder.policy, ladder.hourly, subject, now)
        found = judged(ladder, before, nats, self._settings.threshold(policy.traffic), now, may)
        if found.case != NOBODY:
            self._cases[subject] = found.case

    def _discounts(self, policy: Policy) -> Mapping[str, float]:
        return self._settings.discount(policy.traffic)
