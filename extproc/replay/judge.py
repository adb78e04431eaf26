"""What a policy makes of an exchange that is over, by its record.

Rule: what the record does not tell is not guessed.  A limit that counts what nobody wrote down is
not judged, and said so (``measurable.py``); what was refused for what the request itself was stays
refused.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from extproc.audit import Record
from extproc.cause import Cause
from extproc.errors import ClientError
from extproc.escalation import Met
from extproc.limits import SECOND, Charge, Limit, Refused
from extproc.limits.exhaustion import Challenge, Deny, Lower, Throttle
from extproc.policy import Policy, PolicyTable
from extproc.prediction import Query
from extproc.refusal import RATE_LIMITED, UNKNOWN_MODEL
from extproc.replay.measurable import amounts, why_not
from extproc.replay.watching import Watching
from extproc.stores.memory import MemoryCounters

_REVERSIBLE: Final = frozenset(
    {
        *("route_not_granted", "model_denied", UNKNOWN_MODEL.code, RATE_LIMITED.code),
        *("challenged", "solution_cheap", "feature_streaming", "feature_batch", "suspected"),
    }
)
"""Reasons that are a policy's, and that a record tells all about."""
_MANY: Final = 1_000_000

_Pair = tuple[Charge, Limit]


class Verdict(Struct, frozen=True):
    """What becomes of one exchange."""

    decision: str
    """``served`` or ``refused``."""
    reason: str = ""
    """Why it was refused, as records call it; ``challenged`` where it is served for work."""
    limit: str = ""
    """The name of the limit that refused it, or changed its terms."""
    fidelity: str = ""
    """The tier that it is answered at, where it is served."""


class Judge:
    """Of one policy table.  Its counters begin empty, with the first record."""

    def __init__(self, table: PolicyTable, watching: Watching | None = None) -> None:
        """``watching`` is told of what was learned; None where nobody watches."""
        self._table, self._watching = table, watching
        self._now = 0
        self._counters = MemoryCounters(_MANY, _MANY, groups=_MANY, clock=lambda: self._now)
        self.unjudged: dict[str, str] = {}
        """Limits that are not judged, and why."""

    async def judge(self, record: Record) -> Verdict:
        """Of several, in the order in which they ended."""
        if record.decision != "served" and record.reason not in _REVERSIBLE:
            return Verdict("refused", record.reason or record.decision)
        policy = self._table.policies.get((record.tenant, record.route))
        if policy is None:
            return Verdict("refused", "route_not_granted")
        granted = policy.of(record.model) if record.model else policy
        if granted is None:
            return Verdict("refused", policy.unknown(record.model).outcome)
        try:
            query = Query(record.model, record.inputs, record.stream)
            granted.terms.entitlement.check(query)
        except ClientError as error:
            return Verdict("refused", error.refusal.outcome)
        begun = int((record.time.timestamp() - record.duration) * SECOND)
        self._now = max(self._now, begun)
        return await self._counted(granted, record)

    async def _counted(self, policy: Policy, record: Record) -> Verdict:
        steps = self._steps(policy, record)
        denied = [each.step for each in steps if isinstance(each.step.limit.exhausted, Deny)]
        if denied:
            return Verdict("refused", Cause.SUSPECTED.value, f"escalation {denied[0].name}")
        pairs, exhausted = self._pairs(policy, record, steps), [each.step.limit for each in steps]
        while True:
            charges = [charge for charge, _ in pairs]
            outcome = await self._counters.take(charges, final=True) if charges else None
            if not isinstance(outcome, Refused):
                return _on_terms(policy, exhausted)
            hit = [pairs[wait.index][1] for wait in outcome.waits]
            for limit in hit:
                if not isinstance(limit.exhausted, Lower | Challenge):
                    return Verdict("refused", RATE_LIMITED.code, limit.name)
            exhausted += hit
            pairs = [_lenient(pair, hit) for pair in pairs]

    def _steps(self, policy: Policy, record: Record) -> tuple[Met, ...]:
        """The steps of escalation on which its caller stood when it came."""
        if self._watching is None:
            return ()
        now = record.time.timestamp() - record.duration
        return self._watching.steps(policy, record.tenant, record.principal, now)

    def _pairs(self, policy: Policy, record: Record, steps: Sequence[Met]) -> list[_Pair]:
        """What it is charged, and to which limits; throttles among them."""
        caller = policy.caller(record.principal, {}, "", record.model)
        found: list[_Pair] = []
        for limit in (*policy.limits, *policy.reserved, *_throttles(steps)):
            if why := why_not(limit, policy, record):
                self.unjudged.setdefault(limit.name, why)
                continue
            found += [(each, limit) for each in limit.charges(caller, amounts(policy, record))]
        return found


def _throttles(steps: Sequence[Met]) -> Iterator[Limit]:
    for each in steps:
        if isinstance(each.step.limit.exhausted, Throttle):
            yield replace(each.step.limit, rule=each.step.limit.exhausted.rate)


def _lenient(pair: _Pair, hit: Collection[Limit]) -> _Pair:
    charge, limit = pair
    return (replace(charge, forced=True), limit) if limit in hit else pair


def _on_terms(policy: Policy, exhausted: Sequence[Limit]) -> Verdict:
    tiers = [each.exhausted.fidelity for each in exhausted if isinstance(each.exhausted, Lower)]
    challenged = any(isinstance(each.exhausted, Challenge) for each in exhausted)
    return Verdict(
        "served",
        "challenged" if challenged else "",
        exhausted[0].name if exhausted else "",
        ((policy.lowest(tiers) if tiers else None) or policy).fidelity.name,
    )
