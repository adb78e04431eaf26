"""What one request takes of its tenant's budgets: reserved before it goes on, settled at its end.

Rules.  What it may cost at most is taken, all or none, once it has been read and before any of it
goes on; at its end what it did cost is charged instead, however it ended.  It costs nothing where
it never went on, and where the model server failed before a byte of its answer left.  Where nobody
tells what it took, what was reserved stays charged, as far as it can have been had.
"""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from extproc.cause import Cause
from extproc.dialects.inputs import Pairs
from extproc.dialects.paid import Paid
from extproc.dialects.request import Asked
from extproc.dialects.told import Told
from extproc.escalation import NOBODY as UNSUSPECTED
from extproc.escalation import Case, Met
from extproc.exhaustion import Means, Passing, Reserving, Turned, Wanted, exhausted, holder, posed
from extproc.information import spent
from extproc.limits import (
    NOTHING,
    PRIVATE,
    Amounts,
    Caller,
    Level,
    Networks,
    Refused,
    Reserved,
    Taken,
    told,
)
from extproc.policy import Policy
from extproc.prediction import Kind
from extproc.privacy import Cost
from extproc.rate_limit_fields import Left, fields, left_of, used_up
from extproc.refusal import UNCOUNTED, Refusal
from extproc.treatment import asking, doubt, faces, late, met, on_terms


class Asker(Struct, frozen=True):
    """Whom ext_authz let in, and what it may pass an exhausted budget by."""

    principal: str = ""
    networks: Networks = {}
    solution: str = ""
    acr: str = ""
    levels: tuple[Level, ...] = ()
    """What ext_authz left of the limits that it took."""
    arrival: float = 0.0
    """When the request came, in seconds of wall time."""
    case: Case = UNSUSPECTED
    """What is suspected of it."""


NOBODY: Final = Asker()


class End(Struct, frozen=True):
    """How an exchange ended, as far as it matters for what it cost."""

    went_on: bool
    """Whether the model server got the request."""
    failed: bool
    """Whether it failed before a byte of its answer left."""
    served: bool
    """Whether the client got the whole answer."""
    left: bool
    """Whether it got any of it."""
    told: Told


class Reservation:
    """``ask`` when the request has been read, then answer ``wanted`` until there is nothing."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._policy: Policy | None = None
        self._most = NOTHING
        self._written_at_most = math.inf
        """Tokens that the model server is told to write at most: what a route declares binds it to
        nothing."""
        self._pairs: list[Wanted] = []
        self._terms = Passing(frozenset())
        """What it passes on, of exhausted budgets."""
        self.wanted: Reserving | None = None
        """What is to be taken before the request goes on."""
        self.lowered: Policy | None = None
        """The policy under which the request is to be read anew, and asked for."""
        self.paid: Paid | None = None
        """What may be answered privately once that is taken."""
        self.taken: Taken | None = None
        self.limit = ""
        """The name of the limit that refused, for the record."""
        self.step = ""
        """The gravest step of escalation that met it, for the record."""
        self._left: list[Left] = []
        self._steps: Sequence[Met] = ()
        """The steps of escalation on which its caller stands."""
        self._due: list[Met] = []
        """Those that it has still to pass."""

    def ask(self, policy: Policy, asked: Asked, paid: Paid | None = None) -> None:
        """Find out what a request may cost that has been read; ``paid`` is what of its answer is to
        be paid for privately.
        """
        self._policy, self.lowered, self.paid = policy, None, paid
        query, noted = asked.query, asked.noted
        self._most = Amounts(
            queries=query.inputs,
            input_tokens=_read_at_most(asked),
            output_tokens=(policy.route.sizes.written(noted) or 0) * noted.choices * query.inputs,
            bits=policy.information.expected(query, noted) if policy.information else {},
            privacy=_dearest(paid) if paid is not None else {},
            tariff=policy.tariff.of(query.model),
        )
        if noted.tokens is not None:
            self._written_at_most = noted.tokens * noted.choices * query.inputs
        asker, caller = self._asker, self.caller(policy, asked)
        steps = met(policy, asker.case, asker.arrival)
        self._left = _taken_before(policy, caller, asker.levels)
        self._pairs = [
            (charge, limit)
            for limit in policy.reserved
            for charge in limit.charges(caller, self._most)
        ]
        self._pairs += [
            (charge, None) for charge in policy.present([charge for charge, _ in self._pairs])
        ]
        self.step = steps[-1].step.name if steps else ""
        self._steps, self._due = steps, late(steps, self._terms)
        if self._due:
            asked_for = [charge for charge, _ in self._pairs]
            self.wanted = Reserving(asking(policy, asked_for), final=True)
        else:
            self._go_on(policy)

    def caller(self, policy: Policy, asked: Asked) -> Caller:
        """Who asks, as its counters tell callers apart."""
        asker, user = self._asker, asked.noted.user
        return policy.caller(asker.principal, asker.networks, user, asked.query.model)

    def answered(self, said: Reserved) -> Refusal | None:
        """Note what the store said.  Where it does not refuse, the request may go on if nothing is
        wanted any more.
        """
        pairs, self.wanted, policy = self._pairs, None, self._policy
        assert policy is not None
        if self._due and isinstance(said.outcome, Taken):
            return self._pass_steps(policy, said)
        if said.spent:
            assert self._terms.toll is not None  # nothing else can be spent
            return posed(self._terms.toll, self._means(), said, Cause.SOLUTION_SPENT)
        match said.outcome:
            case Taken() as taken:
                self.taken = taken
                self._left += left_of(policy.reserved, taken)
                return None
            case Refused() as refused:
                refusal = self._pass_on_terms(pairs, refused, said)
                if refusal is None:
                    return None
                self._left += used_up(policy.reserved, [charge for charge, _ in pairs], refused)
                return refusal.telling(self.fields(refusal.retry_after))
            case _:
                return UNCOUNTED

    def fields(self, wait: int | None = None) -> dict[str, str]:
        """Header fields that say what is left of the caller's limits; ``wait`` is in seconds."""
        policy = self._policy
        if policy is None or not self._left:
            return {}
        now, tenant = self._asker.arrival, policy.tenant
        return fields(self._left, tenant, policy.families, now=now, wait=wait)

    def cost(self, end: End) -> Amounts:
        """What the request took, as far as is known."""
        if not end.went_on or end.failed:
            return NOTHING
        most, usage = self._most, end.told.usage
        return Amounts(
            queries=most.queries,
            input_tokens=most.input_tokens if usage.input_tokens is None else usage.input_tokens,
            output_tokens=self._written(end),
            bits=spent(end.told, ended=end.served) if end.left else {},
            privacy=end.told.paid.spent if end.left and end.told.paid is not None else {},
            tariff=most.tariff,
            concurrent=0,
        )

    def _written(self, end: End) -> int:
        """Tokens.  What is told in the middle is not all: some model servers begin with a count."""
        told = end.told.usage.output_tokens
        if end.served:
            return self._most.output_tokens if told is None else told
        return max(told or 0, int(min(sum(end.told.octets.values()), self._written_at_most)))

    def settlement(self, cost: Amounts) -> list[int]:
        """The amounts that belong in place of those that were reserved."""
        assert self.taken is not None
        return [cost.of(charge.unit, charge.kinds)[0] for charge in self.taken.charges]

    def spent(self, cost: Amounts) -> dict[str, float]:
        """What it cost, by the units that were counted; credits in credits."""
        of_taken = self.taken.charges if self.taken is not None else ()
        units = dict.fromkeys(charge.unit for charge in of_taken if charge.unit != "concurrent")
        return {unit: told(unit, cost.of(unit)[0]) for unit in units}

    def _want(self) -> None:
        lenient = self._terms.lenient
        self._pairs = [
            (
                replace(charge, forced=True)
                if charge.rule.name in lenient and charge.unit not in PRIVATE
                else charge,
                limit,
            )
            for charge, limit in self._pairs
        ] + [(charge, None) for charge in self._terms.throttles]
        charges = [charge for charge, _ in self._pairs]
        once = self._terms.once
        self.wanted = Reserving(charges, once) if charges or once is not None else None

    def _pass_on_terms(
        self, pairs: Sequence[Wanted], refused: Refused, said: Reserved
    ) -> Refusal | None:
        terms = exhausted(pairs, refused, self._means(), said, self._terms)
        if isinstance(terms, Turned):
            self.limit = terms.limit
            return terms.refusal
        self._pairs = [pair for pair in pairs if pair[1] is not None]
        if self._agree(terms):
            self._want()
        return None

    def _pass_steps(self, policy: Policy, said: Reserved) -> Refusal | None:
        """As if limits had been found exhausted; the store is asked of the others then."""
        due, self._due = self._due, []
        terms = on_terms(due, policy.tenant, self._means(), said, self._terms)
        if isinstance(terms, Turned):
            self.limit = terms.limit
            self._left += faces(due, policy.tenant, said.now, refused=True)
            return terms.refusal.telling(self.fields(terms.refusal.retry_after))
        if self._agree(terms):
            self._go_on(policy)
        return None

    def _go_on(self, policy: Policy) -> None:
        """Past the steps, of which is told what those are told who have used up what they had."""
        self._left += faces(self._steps, policy.tenant, self._asker.arrival)
        self._want()

    def _agree(self, terms: Passing) -> bool:
        """To these terms besides those before; False where the request is to be read anew first."""
        before = self._terms
        self._terms = Passing(
            before.lenient | terms.lenient,
            (),
            before.throttles + terms.throttles,
            terms.once,
            terms.toll or before.toll,
        )
        assert self._policy is not None
        self.lowered = self._policy.lowest(terms.fidelities)
        return self.lowered is None

    def _means(self) -> Means:
        assert self._policy is not None
        policy, asker = self._policy, self._asker
        return Means(
            holder(policy.tenant, asker.principal),
            policy.secret,
            asker.solution,
            asker.acr,
            sum(self._most.bits.values()),
            doubt(policy, asker.case),
        )


def _dearest(paid: Paid) -> dict[Kind, Cost]:
    """What it costs at most."""
    return {kind: paid.prices[kind].most.times(number) for kind, number in paid.left.items()}


def _taken_before(policy: Policy, caller: Caller, levels: Sequence[Level]) -> list[Left]:
    """What ext_authz left of the limits that it took: in their order."""
    if not policy.families or not levels:
        return []
    charges = policy.charges(caller)
    if len(charges) != len(levels):
        return []
    return left_of(policy.limits, Taken("", tuple(charges), (), tuple(levels)))


def _read_at_most(asked: Asked) -> int:
    """Tokens.  No tokenizer in use makes more of a text than it has bytes."""
    return len(asked.body) + (asked.inputs.again if isinstance(asked.inputs, Pairs) else 0)
