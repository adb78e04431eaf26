"""What an exhausted budget does to a request: refuse it, or let it pass on terms.

Rule: where several are exhausted the request passes on the terms of all of them, or not at all; and
no answer is more exact than before.
"""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from extproc.cause import Cause
from extproc.credentials import Once
from extproc.limits import SECOND, Charge, Limit, Refused, Reserved
from extproc.limits.exhaustion import Challenge, Deny, Lower, StepUp, Throttle
from extproc.proof_of_work import Holder, Solved, challenge, verify
from extproc.refusal import INSUFFICIENT, RATE_LIMITED, Refusal, coarse

_PURPOSE: Final = "exhausted"
"""Of a challenge: one solution does for all budgets that ask for one."""
_STOPPED: Final = 3600
"""Seconds after which a tenant that an operator has stopped may ask whether it still is."""

Wanted = tuple[Charge, Limit | None]
"""What is to be taken, and the limit that it is of; None of a rate that an exhausted one leaves."""


class Means(Struct, frozen=True):
    """What a caller has shown that may let a request pass."""

    holder: Holder
    key: bytes
    """Challenges are signed under it."""
    solution: str = ""
    """Of a challenge, as it came."""
    acr: str = ""
    """How its owner was authenticated (OpenID Connect Core, section 2), as its issuer says."""
    bits: int = 0
    """How many are asked for."""
    suspicion: float = 0.0
    """By which work is priced, from 0 to 1."""


class Toll(Struct, frozen=True):
    """What is asked of a caller that has nothing left."""

    work: int
    """Iterations; see limits.exhaustion.Challenge."""
    wait: int
    """Seconds, after which it would pass for nothing."""


class Passing(Struct, frozen=True):
    """The terms on which a request passes."""

    lenient: frozenset[str]
    """The names of the rules that are exhausted, and do not refuse it."""
    fidelities: tuple[str, ...] = ()
    """It is answered at the lowest of these."""
    throttles: tuple[Charge, ...] = ()
    """What it counts against besides."""
    once: Once | None = None
    """What must not have been shown before."""
    toll: Toll | None = None
    """What that was shown for."""


class Turned(Struct, frozen=True):
    """It does not pass."""

    refusal: Refusal
    limit: str = ""
    """The name of the limit that refused it, for the record."""


STOPPED: Final = Turned(RATE_LIMITED.called(Cause.TENANT_STOPPED).after(_STOPPED))
"""By an operator."""


class Reserving(Struct, frozen=True):
    """What an exchange wants of the store before it goes on."""

    charges: Sequence[Charge]
    """Where there is none, only what time it is."""
    once: Once | None = None
    """What must be shown for the first time, or nothing is taken."""
    final: bool = False
    """Whether nothing of it is settled; see Counters."""
    recall: Sequence[bytes] = ()
    """Keys of what may have been told before: then nothing is taken, and only that is asked."""


def turned(charges: Sequence[Charge], refused: Refused) -> Turned:
    """How a request is refused that passes on no terms: by the limit that is last to let it in."""
    if refused.frozen:
        return STOPPED
    last = max(refused.waits, key=lambda wait: wait.microseconds)
    name = charges[last.index].rule.name.partition("/")[0]
    return Turned(RATE_LIMITED.after(coarse(last.microseconds / SECOND)), name)


def exhausted(
    wanted: Sequence[Wanted], refused: Refused, means: Means, said: Reserved, passing: Passing
) -> Passing | Turned:
    """``passing``: the terms that it passes on already."""
    done = passing.lenient
    denied = tuple(wait for wait in refused.waits if _denies(*wanted[wait.index], done))
    if denied or refused.frozen:
        return turned([charge for charge, _ in wanted], replace(refused, waits=denied))
    hit = [wanted[wait.index] for wait in refused.waits]
    last = max(wait.microseconds for wait in refused.waits)
    owned = [(charge, limit) for charge, limit in hit if limit]
    return _passing(owned, means, said, coarse(last / SECOND), passing.toll)


def _denies(charge: Charge, limit: Limit | None, done: Collection[str]) -> bool:
    return limit is None or charge.rule.name in done or isinstance(limit.exhausted, Deny)


def _passing(
    hit: Sequence[tuple[Charge, Limit]],
    means: Means,
    said: Reserved,
    wait: int,
    paid: Toll | None,
) -> Passing | Turned:
    """``paid``: the work that was shown to have been done for budgets that were found before."""
    fidelities, throttles, once, toll = [], [], None, None
    for charge, limit in hit:
        match limit.exhausted:
            case Lower(fidelity):
                fidelities.append(fidelity)
            case Throttle(rate):
                throttles.append(Charge(rate, charge.group, charge.subject, 1, 1))
            case StepUp(acr_values) if means.acr not in acr_values:
                return Turned(INSUFFICIENT.demanding(acr_values), limit.name)
            case Challenge() as asked if once is None:
                due = Toll(_dearest(hit, means, asked), wait)
                if paid is not None and paid.work >= due.work:
                    continue
                answer = _solved(due, means, said)
                if isinstance(answer, Refusal):
                    return Turned(answer, limit.name)
                once, toll = answer.once, Toll(max(due.work, answer.work), wait)
            case _:
                continue
    lenient = frozenset(charge.rule.name for charge, _ in hit)
    return Passing(lenient, tuple(fidelities), tuple(throttles), once, toll)


def _dearest(hit: Sequence[tuple[Charge, Limit]], means: Means, asked: Challenge) -> int:
    """How much work is asked for: the most of those that ask for any."""
    asking = [limit.exhausted for _, limit in hit if isinstance(limit.exhausted, Challenge)]
    prices = (each.work(means.bits, means.suspicion) for each in asking)
    return max(prices, default=asked.least)


def _solved(toll: Toll, means: Means, said: Reserved) -> Solved | Refusal:
    """What was solved; or the refusal, with a new challenge."""
    if not means.solution:
        return posed(toll, means, said, Cause.CHALLENGED)
    proven = verify(means.key, means.solution, means.holder, said.now)
    if isinstance(proven, Solved) and proven.covers(toll.work):
        return proven
    cause = proven if isinstance(proven, Cause) else Cause.SOLUTION_CHEAP
    return posed(toll, means, said, cause)


def posed(toll: Toll, means: Means, said: Reserved, cause: Cause) -> Refusal:
    """The refusal of whoever has to solve a challenge first, or to wait."""
    puzzle = challenge(means.key, means.holder, toll.work, said.now, said.salt)
    return RATE_LIMITED.called(cause).after(toll.wait).posing(puzzle)


def holder(tenant: str, principal: str) -> Holder:
    return Holder(tenant, principal, _PURPOSE)
