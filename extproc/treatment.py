"""How a request is met whose caller stands on steps of escalation.

Rule: in no way in which a limit with nothing left would not have met it.  A step is told as one of
the policy's own limits, and what that says then, of how long to wait and when there is more, is
what it would say if it had just been used up.  No counter moves for it but that of a throttle;
and where that limit would ask the store, the store is asked, and says what it would say then.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from extproc.cause import Cause
from extproc.escalation import STEP, Case, Met, standing
from extproc.exhaustion import Means, Passing, Turned, exhausted, turned
from extproc.limits import (
    SECOND,
    Amounts,
    Caller,
    Charge,
    Level,
    Limit,
    Refused,
    Reserved,
    Rule,
    Sliding,
    Taken,
    Wait,
    presence,
)
from extproc.limits.exhaustion import Throttle
from extproc.policy import Policy
from extproc.rate_limit_fields import Left, left_of, used_up


def met(policy: Policy, case: Case, now: float) -> tuple[Met, ...]:
    """The steps that meet a request at ``now``, in seconds since 1970; see ``on_trial`` for those
    that would.
    """
    return () if is_on_trial(policy) else standing(policy.ladder, case, now)


def on_trial(policy: Policy, case: Case, now: float) -> str:
    """What would be done, if it were not on trial: the name of the gravest step; empty for none."""
    if not is_on_trial(policy):
        return ""
    return next((each.step.name for each in reversed(standing(policy.ladder, case, now))), "")


def is_on_trial(policy: Policy) -> bool:
    """Whether nothing is done that suspicion asks for."""
    return policy.shadow or policy.ladder.shadow


def doubt(policy: Policy, case: Case) -> float:
    """The suspicion by which work is priced, from 0 to 1."""
    spared = not policy.watched or policy.exempt or case.override == "trusted"
    return 0.0 if spared or is_on_trial(policy) else case.suspicion


def at_once(steps: Iterable[Met], caller: Caller, now: float) -> Turned | Sequence[Charge]:
    """What becomes of a request as soon as it comes: refused, or counted at a rate of its own."""
    throttles: list[Charge] = []
    for each in steps:
        if each.step.early and isinstance(each.step.limit.exhausted, Throttle):
            slow = replace(each.step.limit, rule=each.step.limit.exhausted.rate)
            throttles += slow.charges(caller, Amounts())
        elif each.step.early:
            wanted, refused = _spent([each], caller.tenant, now)
            return _suspected(turned([charge for charge, _ in wanted], refused))
    return throttles


def asking(policy: Policy, charges: Iterable[Charge]) -> list[Charge]:
    """What asks all of the store that these would, and takes nothing."""
    groups = dict.fromkeys(charge.group for charge in charges)
    if policy.reserved and not groups:
        groups[policy.tenant] = None
    return [presence(group) for group in groups]


def throttled(turned: Turned) -> Turned:
    """A refusal of ext_authz with its true cause, if that is a throttle of ours."""
    return _suspected(turned) if turned.limit.startswith(STEP) else turned


def as_told(left: Iterable[Left], steps: Iterable[Met]) -> list[Left]:
    """The limits that refused a request, throttles of ours among them by the names of others."""
    known = {_called(each): each.step.face for each in steps}
    told: list[Left] = []
    for each in left:
        face = known.get(each.name)
        if face is not None:
            wait = Wait(0, round((each.reset or 0) * SECOND))
            told += used_up([face], [_charge(face, each.group)], Refused((wait,)))
        elif not each.name.startswith(STEP):
            told.append(each)
    return told


def late(steps: Iterable[Met], done: Passing) -> list[Met]:
    """Those that meet a request once it has been read, but for those it passes already."""
    return [
        each
        for each in steps
        if not each.step.early and each.step.limit.rule.name not in done.lenient
    ]


def on_terms(
    steps: Sequence[Met], tenant: str, means: Means, said: Reserved, passing: Passing
) -> Passing | Turned:
    """What becomes of a request once it has been read; see exhaustion.exhausted."""
    wanted, refused = _spent(steps, tenant, said.now)
    terms = exhausted(wanted, refused, means, said, passing)
    return _suspected(terms) if isinstance(terms, Turned) else terms


def faces(steps: Iterable[Met], tenant: str, now: float, *, refused: bool = False) -> list[Left]:
    """What is told of the limits that the steps are told as: nothing is left of them.

    ``refused``: they let nothing pass; else it passed on terms.
    """
    found = [(each, each.step.face) for each in steps if each.step.face is not None]
    limits = [face for _, face in found]
    charges = tuple(_charge(face, tenant) for face in limits)
    if refused:
        waits = [Wait(index, _wait(each, now)) for index, (each, _) in enumerate(found)]
        return used_up(limits, charges, Refused(tuple(waits)))
    levels = [Level(0, _full(face.rule, int(now * SECOND))[1]) for face in limits]
    return left_of(limits, Taken("", charges, (), tuple(levels)))


def _spent(
    steps: Sequence[Met], tenant: str, now: float
) -> tuple[list[tuple[Charge, Limit | None]], Refused]:
    wanted: list[tuple[Charge, Limit | None]] = [
        (Charge(each.step.limit.rule, tenant, "", 1), each.step.limit) for each in steps
    ]
    waits = [Wait(index, _wait(each, now)) for index, each in enumerate(steps)]
    return wanted, Refused(tuple(waits))


def _wait(each: Met, now: float) -> int:
    """Microseconds.  Of all limits only a window's says how long ago it was used up."""
    left, face = max(1, round(each.left * SECOND)), each.step.face
    if face is None:
        return left
    wait, _ = _full(face.rule, int(now * SECOND))
    return min(left, wait) if isinstance(face.rule, Sliding) else wait


def _full(rule: Rule[Any], now: int) -> tuple[int, int]:
    """Of one that has just been used up: after how long there is more, and when it is unused."""
    state = rule.add(None, now, rule.capacity)
    return rule.wait(state, now, rule.cost(1)), rule.idle(state) - now


def _charge(face: Limit, tenant: str) -> Charge:
    return Charge(face.rule, tenant, "", 1, unit=face.unit)


def _called(each: Met) -> str:
    """What limits call the rate of a throttle."""
    action = each.step.limit.exhausted
    return action.rate.name.partition("/")[0] if isinstance(action, Throttle) else ""


def _suspected(turned: Turned) -> Turned:
    """With the true cause, for the record; one that asks for work has its own already."""
    if turned.refusal.cause is not None:
        return turned
    return replace(turned, refusal=turned.refusal.called(Cause.SUSPECTED))
