"""Detection, asked again by what it learned of recorded exchanges.

Rule: what was learned holds for the reference that was in force then; what another policy changes
is thresholds, discounts, traffic classes, half-life and steps.  Nobody is judged by the company he
is in, of which a log tells too little.
"""

from collections.abc import Mapping

import numpy as np

from extproc.audit import Seen
from extproc.detectors.evidence import combined
from extproc.detectors.profile import Decay
from extproc.detectors.seen import features_of
from extproc.escalation import NOBODY, UNUSED, Allowance, Case, Met, judged
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
        self._allowances: dict[str, Allowance] = {}

    def learn(self, seen: Seen) -> None:
        """Raise Malformed where it holds features that were never made."""
        now = seen.time.timestamp()
        features = features_of(now, seen.features)
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
        allowance = self._allowances.get(ladder.policy, UNUSED)
        threshold = self._settings.threshold(policy.traffic)
        found = judged(ladder, before, nats, threshold, now, allowance)
        self._allowances[ladder.policy] = found.allowance
        if found.case != NOBODY:
            self._cases[subject] = found.case

    def _discounts(self, policy: Policy) -> Mapping[str, float]:
        return self._settings.discount(policy.traffic)
