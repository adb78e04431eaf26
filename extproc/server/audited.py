"""The audit records of what ext_authz denied and of what ext_proc served.

Rule: one record per exchange.  What ext_authz denied is recorded there, whatever becomes of the
reply; a reply of Envoy's own to a request that ext_authz was never asked about is recorded here.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from extproc.admission import Denied
from extproc.audit import Act, Enforced, Pseudonyms, Record, Seen, Suspected
from extproc.audit.record import Decision
from extproc.escalation import STEP
from extproc.exchange import Exchange
from extproc.local_reply import LocalReply
from extproc.policy import Excerpt, PolicyTable
from extproc.reserved_exchange import ReservedExchange
from extproc.server.protobuf import Handover
from extproc.shadow import ShadowExchange
from extproc.untouched import Untouched

if TYPE_CHECKING:
    from extproc.server.audit_log import AuditLog

_Any = Exchange | ShadowExchange | LocalReply | Untouched

LONGEST_NAME: Final = 64
"""Characters of a model's name that are kept."""

_DECISIONS: Final[dict[str, Decision]] = {
    "served": "served",
    "cut": "cut",
    "unfinished": "unfinished",
}


class Auditor:
    """Writes into one log, under the pseudonyms of the policy that decided."""

    def __init__(self, log: "AuditLog") -> None:
        self._log = log

    @property
    def refusing(self) -> bool:
        """Whether nothing may be let in that could not be recorded."""
        return self._log.refusing

    def turned_away(self) -> None:
        """Count a request that was refused because of that."""
        self._log.turned_away()

    def acted(self, act: Act) -> None:
        """Record what an operator did."""
        self._log.add(act)

    def enforced(self, policy: Enforced) -> None:
        """Record that another policy is in force."""
        self._log.add(policy)

    def suspected(self, found: Suspected) -> None:
        """Record what was found of somebody."""
        self._log.add(found)

    def seen(self, seen: Seen) -> None:
        """Record what detectors learned of an exchange, where there is room."""
        self._log.offer(seen)

    def denied(self, handover: Handover, denial: Denied, table: PolicyTable, now: float) -> None:
        """Record what ext_authz denied at ``now``, in seconds of wall time."""
        names = _pseudonyms(table)
        self._log.add(
            Record(
                time=_time(now),
                request=handover.exchange,
                decision="refused",
                reason=denial.refusal.outcome,
                detail=denial.detail,
                shadow=bool(handover.passed),
                principal=names.principal(denial.principal),
                tenant=denial.tenant,
                route=handover.route,
                epoch=names.epoch,
                policy=table.version,
                status=0 if handover.passed else denial.refusal.status,
                duration=_seconds(now - handover.arrival),
            )
        )

    def replied(
        self,
        request: str,
        reply: LocalReply | Untouched,
        excerpt: Excerpt,
        now: float,
        seconds: float,
    ) -> None:
        """Record a reply of Envoy's own, to whom nobody knows."""
        outcome = reply.outcome.removeprefix("shadow:")
        self._log.add(
            Record(
                time=_time(now),
                request=request,
                decision=_DECISIONS.get(outcome, "refused"),
                reason="" if outcome in _DECISIONS else outcome,
                shadow=isinstance(reply, Untouched),
                policy=excerpt.version,
                status=reply.status,
                duration=_seconds(seconds),
            )
        )

    def ended(
        self,
        machine: Exchange | ShadowExchange,
        handover: Handover,
        excerpt: Excerpt,
        now: float,
        seconds: float,
    ) -> None:
        """Record an exchange that ended at ``now``, having taken so many seconds."""
        names, policy = _pseudonyms(excerpt), excerpt.policy
        assert policy is not None  # the exchange was made of it
        shadow = isinstance(machine, ShadowExchange)
        outcome = machine.outcome.removeprefix("shadow:")
        query = machine.query
        self._log.add(
            Record(
                time=_time(now),
                request=handover.exchange,
                decision=_DECISIONS.get(outcome, "refused"),
                reason="" if outcome in _DECISIONS else outcome,
                detail=machine.fault or _escalated(machine),
                shadow=shadow,
                principal=names.principal(handover.principal),
                tenant=handover.tenant,
                route=handover.route,
                model=query.model[:LONGEST_NAME] if query else "",
                inputs=query.inputs if query else 0,
                stream=query.stream if query else False,
                fingerprint=names.input(machine.digests),
                epoch=names.epoch,
                policy=excerpt.version,
                fidelity=policy.fidelity.name,
                changed=machine.changed,
                dropped=machine.dropped,
                charge=spent(machine, handover.charge),
                status=machine.status,
                duration=_seconds(seconds),
            )
        )


def reserved(
    machine: Exchange | ShadowExchange | LocalReply | Untouched,
) -> ReservedExchange | None:
    """The exchange that counts against budgets, where one does."""
    exchange = machine.inner if isinstance(machine, ShadowExchange) else machine
    return exchange if isinstance(exchange, ReservedExchange) else None


def step(machine: _Any) -> str:
    """The gravest step of escalation on which whoever asked was met; empty for none."""
    exchange = reserved(machine)
    return exchange.reservation.step if exchange is not None else ""


def _escalated(machine: Exchange | ShadowExchange) -> str:
    """By what an answer was not what it would have been, though it was one."""
    name = step(machine)
    return f"{STEP}{name}" if name else ""


def spent(machine: Exchange | ShadowExchange, requests: int) -> dict[str, float]:
    """What it cost, by unit; ``requests`` is what its limits were charged as it came."""
    exchange = reserved(machine)
    found = exchange.spent if exchange is not None else {}
    return {**found, "requests": requests} if requests else found


def _pseudonyms(under: PolicyTable | Excerpt) -> Pseudonyms:
    assert under.pseudonyms is not None  # compiled where a log is asked for
    return under.pseudonyms


def _time(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


def _seconds(seconds: float) -> float:
    return round(max(0.0, seconds), 4)
