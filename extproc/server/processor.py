"""Envoy's ext_proc: one Process stream per HTTP exchange.

Rule: a stream never ends with status OK while Envoy waits, since Envoy would then let the rest pass
unprocessed whatever ``failure_mode_allow`` says.  ``process`` returns when the exchange is over and
Envoy has ended its side; every other end is an abort.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import grpc

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    ProcessingRequest,
)
from extproc.beginning import begin
from extproc.caps import Caps
from extproc.errors import ProtocolError
from extproc.exchange import Exchange
from extproc.local_reply import LocalReply
from extproc.policy import Excerpt, Policy, PolicyTable
from extproc.refusal import INSUFFICIENT, OVERLOADED, of_code
from extproc.reservation import Asker
from extproc.reserved_exchange import ReservedExchange
from extproc.rollout import OFF
from extproc.server import protobuf
from extproc.server.alarms import Alarms
from extproc.server.answered import Answered
from extproc.server.audited import LONGEST_NAME, Auditor, reserved, spent, step
from extproc.server.detection.watcher import Watcher
from extproc.server.driver import EOF, drive
from extproc.server.held import Held
from extproc.server.pacer import Direct, Paced
from extproc.server.protobuf import Handover
from extproc.server.record import Records
from extproc.server.reserver import Reserver
from extproc.server.stopwatch import Stopwatch
from extproc.server.suspects import Suspects, Unsuspecting
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry, nearly_exhausted
from extproc.server.traces import Traces, trace_id
from extproc.server.verdict import Verdict
from extproc.shadow import ShadowExchange
from extproc.shaping import UNSHAPED, Shaping
from extproc.untouched import Untouched

if TYPE_CHECKING:
    from extproc.server.vault import Vault

Machine = Exchange | ShadowExchange | LocalReply | Untouched
_Nobodys = LocalReply | Untouched


_READ: Final = frozenset({"served", "cut", "unfinished"})
"""Outcomes of an answer that may have been read, as far as it had been rewritten."""
OLDEST: Final = 10.0
"""Seconds that a request can have waited for ext_authz: Envoy's timeout for it."""


class ExternalProcessor:
    """The service ``envoy.service.ext_proc.v3.ExternalProcessor``."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        tables: Tables,
        telemetry: Telemetry,
        records: Records,
        alarms: Alarms | None = None,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        *,
        reserver: Reserver,
        auditor: Auditor | None = None,
        suspects: Suspects | None = None,
        watcher: Watcher | None = None,
        vault: "Vault | None" = None,
        traces: Traces | None = None,
    ) -> None:
        self._suspects = suspects or watcher or Unsuspecting()
        self._auditor, self._watcher, self._traces = auditor, watcher, traces
        self._reserver, self._vault = reserver, vault
        self._tables = tables
        self._telemetry = telemetry
        self._records = records
        self._alarms = alarms or Alarms()
        self._wall = wall
        self.held = Held(tables.now.table.caps.held)
        self.waiting = Held(tables.now.table.caps.waiting)
        """Not bytes but exchanges, whose answers may have to wait."""

    def bound(self, caps: Caps) -> None:
        """Keep to other bounds from now on; what is kept already stays."""
        self.held.cap, self.waiting.cap = caps.held, caps.waiting

    async def process(self, _requests: Any, context: Any) -> None:
        """Serve one exchange, by grpc.aio's ``read()``/``write()``."""
        self._telemetry.streams.inc()
        try:
            await self._serve(context)
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:
            # Not grpc's own cancelling, after which it would leave the stream open for ever.
            if not context.done():
                await context.abort(grpc.StatusCode.INTERNAL, "extproc_cancelled")
            raise
        except ProtocolError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end cleanly
            self._records.fault(error)
            await context.abort(grpc.StatusCode.INTERNAL, "extproc_internal_error")
        finally:
            self._telemetry.streams.dec()

    async def _serve(self, context: Any) -> None:
        first = await context.read()
        if first is EOF:
            raise ProtocolError("Envoy's side ended before it began")
        protobuf.require_duplex(first)
        handover = protobuf.handover(first)
        # Of the policy that ext_authz decided by, whatever has been put in force since.
        table = self._tables.of(handover.config) if handover else self._tables.now.table
        machine = _machine(first, handover, table, self._suspects)
        shaping = UNSHAPED if _on_trial(machine) else _shaping_of(handover, table)
        excerpt, most = _excerpt(table, handover), table.caps.document
        del table  # it may be replaced long before this ends
        name, own = _name(handover), Stopwatch()
        started = time.monotonic()
        try:
            verdict = Verdict(machine, handover, excerpt)
            told = "" if _on_trial(machine) else name
            direct = Direct(context.read, context.write, told, verdict)
            if not shaping.waits:
                await drive(machine, first, direct, self.held, self._reserver.reserve, own)
                return
            # A denial says nothing before its instant.  Sent with it, these would make it later
            # than an answer, whose request has sent them already: by 0.05 ms, on every one.
            await context.send_initial_metadata(())
            arrival = self._arrival(handover)
            paced = Paced(direct, shaping, arrival, self._alarms, most)
            await self._wait(machine, first, paced, own)
        finally:
            seconds = time.monotonic() - started
            self._telemetry.own_seconds.observe(own.seconds)
            self._tell(machine, handover, excerpt, name, seconds)

    async def _wait(
        self, machine: Machine, first: ProcessingRequest, paced: Paced, own: Stopwatch
    ) -> None:
        """A place among those that wait is taken before anything is done: one that was refused
        later would tell when the work was over.
        """
        place = self.waiting.share()
        try:
            if not place.keep(1):
                await paced.direct.send(machine.refuse(OVERLOADED), machine)
            await drive(machine, first, paced, self.held, self._reserver.reserve, own)
        finally:
            place.keep(0)

    def _arrival(self, handover: Handover | None) -> float:
        """When the request came, on the alarms' clock.

        It was told in wall time, as another process may have seen it come; a clock that was set in
        between is noticed by an age that no request has, and the stream's own beginning taken.
        """
        now = self._alarms.clock()
        age = self._wall() - handover.arrival if handover is not None else 0.0
        return now - age if 0 <= age <= OLDEST else now

    def _tell(
        self,
        machine: Machine,
        handover: Handover | None,
        excerpt: Excerpt,
        name: str,
        seconds: float,
    ) -> None:
        """Whoever is to know how it ended."""
        self._settle(machine)
        self._audit(machine, handover, excerpt, name, seconds)
        self._record(machine, handover, seconds)
        self._watch(machine, handover, excerpt)
        self._keep(machine, handover, excerpt)
        if self._traces is not None:
            self._traces.ended(machine, handover, excerpt, seconds)

    def _settle(self, machine: Machine) -> None:
        """Charge what it took in place of what was reserved, however it ended."""
        exchange = reserved(machine)
        taken = exchange.reservation.taken if exchange is not None else None
        if exchange is not None and taken is not None:
            told = machine.memos if isinstance(machine, ReservedExchange) else {}
            self._reserver.settle(taken, exchange.reservation.settlement(exchange.cost), told)

    def _record(self, machine: Machine, handover: Handover | None, seconds: float) -> None:
        self._telemetry.exchanges(machine.outcome).inc()
        if isinstance(machine, _Nobodys):
            return  # ext_authz recorded the denial
        query, dropped, changed = machine.query, machine.dropped, machine.changed
        usage = machine.told.usage
        for place, count in dropped.items():
            self._telemetry.dropped(place).inc(count)
        for place, count in changed.items():
            self._telemetry.changed(place).inc(count)
        assert handover is not None
        self._records.add(
            "exchange",
            {
                "request_id": handover.exchange,
                **_traced(handover),
                "tenant": handover.tenant,
                # The first digits of the keyed hash: enough to correlate, of no use to anyone.
                "principal": handover.principal[:20],
                "route": handover.route,
                "model": query.model[:64] if query else "",
                "inputs": query.inputs if query else 0,
                "outcome": machine.outcome,
                "fault": machine.fault,
                # As the model server tells them; null where it does not.
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "charge": spent(machine, handover.charge),
                "near": _near(machine),
                "step": step(machine),
                "changed": dict(changed),
                "dropped": dict(dropped),
                "milliseconds": round(seconds * 1000, 1),
            },
        )

    def _audit(
        self,
        machine: Machine,
        handover: Handover | None,
        excerpt: Excerpt,
        name: str,
        seconds: float,
    ) -> None:
        if self._auditor is None:
            return
        if not isinstance(machine, _Nobodys):
            assert handover is not None
            self._auditor.ended(machine, handover, excerpt, self._wall(), seconds)
        elif not _denied(handover) and machine.outcome != OFF:  # else ext_authz recorded it
            self._auditor.replied(name, machine, excerpt, self._wall(), seconds)

    def _watch(self, machine: Machine, handover: Handover | None, excerpt: Excerpt) -> None:
        policy = excerpt.policy
        if self._watcher is None or policy is None or not policy.watched:
            return
        if not isinstance(machine, _Nobodys):
            assert handover is not None
            self._watcher.ended(machine, handover)

    def _keep(self, machine: Machine, handover: Handover | None, excerpt: Excerpt) -> None:
        """What was marked of an answer that somebody may have read."""
        if self._vault is None or not isinstance(machine, Exchange):
            return
        marking, answered = machine.told.marking, machine.status and machine.outcome in _READ
        if marking is not None and marking.findings and answered:
            assert handover is not None
            self._vault.add(_answered(machine, handover, excerpt, self._wall()), marking.findings)


def _answered(exchange: Exchange, handover: Handover, excerpt: Excerpt, now: float) -> Answered:
    policy, query = excerpt.policy, exchange.query
    assert policy is not None
    assert query is not None
    return Answered(
        time=now,
        request=handover.exchange,
        tenant=policy.tenant,
        cohort=policy.cohort,
        route=policy.route.name,
        model=query.model[:LONGEST_NAME],
        epoch=policy.epoch,
        policy=excerpt.version,
    )


def _machine(
    first: ProcessingRequest, handover: Handover | None, table: PolicyTable, suspects: Suspects
) -> Machine:
    """Whose answer this is: the model's to an admitted request, or no model's."""
    if why := _untouched(first, handover, table):
        return Untouched(why)
    if first.HasField("response_headers"):
        return _local_reply(handover, table)
    if handover is None:
        raise ProtocolError("a request came without the metadata of ext_authz")
    return begin(
        _policy(handover, table),
        dict(handover.parameters),
        handover.digest,
        Asker(
            handover.principal,
            handover.networks,
            handover.solution,
            handover.acr,
            handover.levels,
            handover.arrival,
            suspects.case(handover.tenant, handover.principal),
        ),
        identity_on_trial=table.rollout.on_trial(handover.tenant),
    )


def _untouched(first: ProcessingRequest, handover: Handover | None, table: PolicyTable) -> str:
    """Why nothing is done to it; empty where something is.

    Rule: the policy in force then has the last word: what ext_authz says is not enough.
    """
    if not table.rollout.on_trial(handover.tenant if handover is not None else ""):
        return ""
    if handover is not None and handover.passed:
        return OFF if handover.passed == OFF else f"shadow:{handover.passed}"
    if not first.HasField("response_headers") or (handover is not None and handover.refusal):
        return ""
    # An answer of Envoy's own, to a request of which nothing has come here.
    return OFF if table.rollout.mode == OFF else "shadow:unfinished"


def _denied(handover: Handover | None) -> bool:
    """By ext_authz, in earnest or on trial."""
    return handover is not None and bool(handover.refusal or handover.passed)


def _policy(handover: Handover, table: PolicyTable) -> Policy:
    if handover.refusal:
        raise ProtocolError("the metadata of ext_authz is of a request that was denied")
    policy = table.selecting(handover.policy).get((handover.tenant, handover.route))
    if policy is None:
        raise ProtocolError("the metadata of ext_authz names no policy")
    return policy


def _local_reply(handover: Handover | None, table: PolicyTable) -> LocalReply:
    routes = {route.name: route for route in table.routes}
    shaping = _shaping_of(handover, table)
    if handover is None:
        return LocalReply(None, None, shaping)
    route = routes.get(handover.route)
    denied = of_code(handover.refusal)
    if denied is INSUFFICIENT and route is not None:
        denied = denied.demanding(route.requirement.acr_values)
    return LocalReply(denied, route.dialect if route is not None else None, shaping)


def _shaping_of(handover: Handover | None, table: PolicyTable) -> Shaping:
    return table.shaping(handover.tenant, handover.policy) if handover else table.shaping("")


def _excerpt(table: PolicyTable, handover: Handover | None) -> Excerpt:
    if handover is None:
        return table.excerpt(None)
    policies = table.selecting(handover.policy)
    return table.excerpt(policies.get((handover.tenant, handover.route)))


def _traced(handover: Handover) -> dict[str, str]:
    return {"trace_id": trace_id(handover.traceparent)} if handover.traceparent else {}


def _near(machine: Machine) -> list[str]:
    """The limits that it left nearly exhausted, of those that were taken once it was read."""
    exchange = reserved(machine)
    taken = exchange.reservation.taken if exchange is not None else None
    return nearly_exhausted(taken) if taken is not None else []


def _on_trial(machine: Machine) -> bool:
    return isinstance(machine, ShadowExchange | Untouched)


def _name(handover: Handover | None) -> str:
    """The exchange's; one that ext_authz knows nothing of has none in the record either."""
    return handover.exchange if handover is not None else secrets.token_hex(8)
