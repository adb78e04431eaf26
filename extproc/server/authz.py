"""Envoy's ext_authz: admission's decision, and the limits it counts against.

Rule: whatever goes wrong here denies.  An exception becomes a gRPC error, which Envoy answers with
503 (``status_on_error``); a store that cannot answer becomes a 503 of ours.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import grpc

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc.admission import Admitted, Denied, admit, only_on_trial
from extproc.cause import Cause
from extproc.client_address import client_address
from extproc.credentials import Needed, Replays
from extproc.dialects.problem import UNROUTED
from extproc.errors import IssuerUnavailable, StoreUnavailable
from extproc.escalation import NOBODY
from extproc.events import CheckedRequest
from extproc.exhaustion import STOPPED, Turned, turned
from extproc.limits import Counters, Refused, Taken, presence
from extproc.origin import JA4, origin
from extproc.policy import PolicyTable
from extproc.proof_of_work import SOLUTION
from extproc.rate_limit_fields import Left, fields, used_up
from extproc.refusal import REPLAYED, UNASKED, UNAUDITED, UNCOUNTED
from extproc.rollout import OFF
from extproc.server import protobuf
from extproc.server.audited import Auditor
from extproc.server.detection.watcher import Watcher
from extproc.server.protobuf import Handover
from extproc.server.record import Records
from extproc.server.suspects import Suspects, Unsuspecting
from extproc.server.tables import InForce, Tables
from extproc.server.telemetry import Telemetry
from extproc.server.traces import Traces, parent, trace_id
from extproc.stores.memory_replays import MemoryReplays
from extproc.treatment import as_told, asking, at_once, faces, met, on_trial, throttled
from extproc.wording import told

REMOVED = (
    # A compressed, partial or conditional answer could not be rewritten.
    "accept-encoding",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    SOLUTION,
    JA4,
)
"""Request fields that neither ext_proc nor the model server is to see, beside credentials."""

_SHOWN = 64
"""Characters of a principal that a record shows."""


class Authorization:
    """The service ``envoy.service.auth.v3.Authorization``."""

    def __init__(  # noqa: PLR0913 - what it decides by, and its clocks
        self,
        tables: Tables,
        counters: Counters,
        telemetry: Telemetry,
        records: Records,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        replays: Replays | None = None,
        *,
        auditor: Auditor | None = None,
        suspects: Suspects | None = None,
        watcher: Watcher | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._suspects = suspects or watcher or Unsuspecting()
        self._auditor, self._watcher, self._traces = auditor, watcher, traces
        self._tables = tables
        self._counters = counters
        self._telemetry = telemetry
        self._records = records
        self._wall = wall
        """Of when requests come: another process may have to read it."""
        self._replays = replays or MemoryReplays(began=wall())

    async def check(self, request: CheckRequest, context: Any) -> CheckResponse:
        """Decide on one request."""
        try:
            with (
                self._tables.now as in_force,  # to the end, whatever is put in force meanwhile
                self._telemetry.check_seconds.time(),
            ):
                began = self._wall()
                response = await self._decide(request, in_force)
                if self._traces is not None:
                    self._traces.checked(request, response, began)
                return response
        except Exception as error:
            # grpcio would log the error with its message, which may hold a value.
            self._records.fault(error)
            await context.abort(grpc.StatusCode.INTERNAL, "extproc_internal_error")
            raise  # abort has raised: this is for the type checker

    async def _decide(self, request: CheckRequest, in_force: InForce) -> CheckResponse:
        arrival, table = self._wall(), in_force.table
        if table.rollout.mode == OFF:
            self._telemetry.checks(OFF).inc()
            return protobuf.allowed(_passing(table, arrival), ())
        checked = protobuf.checked_request(request, table.namespaces)
        decision = await self._decided(checked, in_force, arrival)
        match decision:
            case Admitted():
                self._telemetry.checks("allowed").inc()
                handover = self._handover(decision, checked, table, arrival)
                return protobuf.allowed(handover, _removed(decision, table))
            case Denied() if decision.tenant and only_on_trial(decision, table.rollout):
                return self._denied(await self._stopped(decision), checked, table, arrival)
            case Denied():
                return self._denied(decision, checked, table, arrival)

    async def _decided(
        self, checked: CheckedRequest, in_force: InForce, arrival: float
    ) -> Admitted | Denied:
        if self._auditor is not None and self._auditor.refusing:
            self._auditor.turned_away()
            return Denied(UNAUDITED)
        decision = await self._admit(checked, in_force, arrival)
        if isinstance(decision, Admitted):
            decision = await self._once(decision, arrival)
        if isinstance(decision, Admitted):
            decision = await self._suspect(decision, arrival)
        if isinstance(decision, Admitted):
            decision = await self._charge(decision)
        return decision

    async def _admit(
        self, request: CheckedRequest, in_force: InForce, now: float
    ) -> Admitted | Denied:
        """Decide, asking each issuer whose word it takes, once."""
        decision = admit(request, in_force.table, now)
        asked: set[str] = set()
        while isinstance(decision, Needed):
            if decision.credential in asked:  # forgotten already: there are too many
                return Denied(UNASKED)
            asked.add(decision.credential)
            try:
                await in_force.ask(decision)
            except IssuerUnavailable:
                return Denied(UNASKED)
            decision = admit(request, in_force.table, now)
        return decision

    async def _once(self, admitted: Admitted, now: float) -> Admitted | Denied:
        """Whoever replays a request spends nothing of its owner's; in the shadow, too, it is no
        proof of who asks.
        """
        policy, once = admitted.policy, admitted.proof.once
        if once is None:
            return admitted
        try:
            first = await self._replays.first(once, now=now)
        except StoreUnavailable:
            return Denied(UNCOUNTED, policy.route, policy.tenant)
        if first:
            return admitted
        return Denied(REPLAYED, principal=admitted.proof.principal, hidden=policy.tenant)

    async def _suspect(self, admitted: Admitted, now: float) -> Admitted | Denied:
        """Meet whoever is suspected as its steps say; what is on trial is counted."""
        policy, principal = admitted.policy, admitted.proof.principal
        case = self._suspects.case(policy.tenant, principal)
        if case is NOBODY:  # as nearly always
            return admitted
        if case.override == "frozen":  # what an operator does is not on trial
            return await self._as_a_limit(admitted, _turned(admitted, STOPPED, (), now))
        if would := on_trial(policy, case, now):
            self._telemetry.checks(f"shadow:{would}").inc()
        steps = [each for each in met(policy, case, now) if each.step.early]
        if not steps:
            return admitted
        answer = at_once(steps, policy.caller(principal, admitted.networks), now)
        if isinstance(answer, Turned):
            left = faces(steps[-1:], policy.tenant, now, refused=True)
            return await self._as_a_limit(admitted, _turned(admitted, answer, left, now))
        return replace(admitted, steps=tuple(steps), throttles=tuple(answer))

    async def _as_a_limit(self, admitted: Admitted, denied: Denied) -> Denied:
        """Refused as by a limit that is used up, which the store would have to be there for."""
        policy = admitted.policy
        charges = () if policy.shadow else asking(policy, admitted.charges)
        try:
            outcome = await self._counters.take(charges, final=True) if charges else None
        except StoreUnavailable:
            return _turned(admitted, Turned(UNCOUNTED), (), self._wall())
        frozen = isinstance(outcome, Refused)
        return _turned(admitted, STOPPED, (), self._wall()) if frozen else denied

    async def _stopped(self, denied: Denied) -> Denied:
        """What an operator does is not on trial: else whoever is stopped would ask in a way that is
        denied, and pass.  Where the store does not say, it does; as in _charge.
        """
        case = self._suspects.case(denied.tenant, denied.principal)
        frozen = case.override == "frozen"
        with suppress(StoreUnavailable):
            charges = [presence(denied.tenant)]
            frozen = frozen or isinstance(await self._counters.take(charges, final=True), Refused)
        return replace(denied, refusal=STOPPED.refusal) if frozen else denied

    async def _charge(self, admitted: Admitted) -> Admitted | Denied:
        """Take the limits; in the shadow a refusal is counted and let through."""
        policy, own = admitted.policy, admitted.charges
        charges = [*own, *admitted.throttles]
        if not charges:
            return admitted
        try:
            outcome = await self._counters.take(charges, final=True)
        except StoreUnavailable:
            denied = _turned(admitted, Turned(UNCOUNTED), (), self._wall())
        else:
            self._telemetry.charged(charges, outcome)
            if isinstance(outcome, Taken):
                counted = int(any(charge.amount for charge in own))
                return replace(admitted, charged=counted, levels=outcome.levels[: len(own)])
            left = as_told(used_up(policy.limits, charges, outcome), admitted.steps)
            denied = _turned(admitted, throttled(turned(charges, outcome)), left, self._wall())
        # What an operator does is not on trial.
        if policy.shadow and denied.refusal.cause is not Cause.TENANT_STOPPED:
            self._telemetry.checks(f"shadow:{denied.refusal.outcome}").inc()
            return replace(admitted, shadow_would=denied.refusal.code)
        return denied

    def _handover(
        self, admitted: Admitted, checked: CheckedRequest, table: PolicyTable, arrival: float
    ) -> Handover:
        policy = admitted.policy
        return Handover(
            secrets.token_hex(8),
            table.version,
            policy.route.name,
            policy.tenant,
            admitted.proof.principal,
            tuple(admitted.parameters.items()),
            arrival=arrival,
            charge=admitted.charged,
            digest=admitted.proof.digest,
            networks=admitted.networks,
            solution=admitted.solution,
            acr=admitted.proof.acr if policy.reserved else "",
            levels=admitted.levels if policy.families else (),
            network=admitted.origin.network,
            client=admitted.origin.client,
            policy=checked.policy,
            shadow_would=admitted.shadow_would,
        )

    def _denied(
        self, denial: Denied, checked: CheckedRequest, table: PolicyTable, arrival: float
    ) -> CheckResponse:
        """The answer waits for its instant in ext_proc, through which it passes on its way out."""
        refusal, route = denial.refusal, denial.route
        name, outcome = route.name if route else "", refusal.outcome
        on_trial = only_on_trial(denial, table.rollout)
        handover = Handover(
            secrets.token_hex(8),
            table.version,
            name,
            denial.tenant,
            refusal="" if on_trial else refusal.code,
            arrival=arrival,
            passed=outcome if on_trial else "",
            policy=checked.policy,
            shadow_would=refusal.code if on_trial else "",
        )
        self._tell(denial, handover, checked, table)
        if on_trial:
            return protobuf.allowed(handover, ())
        answer = told(refusal, route.dialect if route else UNROUTED)
        return protobuf.denied(handover, answer.status, answer.headers, answer.body)

    def _tell(
        self, denial: Denied, handover: Handover, checked: CheckedRequest, table: PolicyTable
    ) -> None:
        """Whoever is to know of it."""
        outcome = denial.refusal.outcome
        self._telemetry.checks(f"shadow:{outcome}" if handover.passed else outcome).inc()
        record: dict[str, object] = {
            "request_id": handover.exchange,
            "tenant": denial.tenant,
            "route": handover.route,
            "code": outcome,
            "client": _client(checked, table),
        }
        if handover.passed:
            record["shadow"] = True
        if self._traces is not None and (traced := parent(checked.headers)):
            record["trace_id"] = trace_id(traced)
        if denial.detail:
            record["detail"] = denial.detail
        if denial.principal:
            record["principal"] = denial.principal[:_SHOWN]
        self._records.add("denied", record)
        if self._auditor is not None and denial.refusal is not UNAUDITED:
            self._auditor.denied(handover, denial, table, self._wall())
        if self._watcher is not None:
            whence = partial(origin, checked, table.proxies, table.key)
            self._watcher.denied(denial, handover.arrival, whence)


def _passing(table: PolicyTable, arrival: float) -> Handover:
    """Of a request that nobody looks at."""
    return Handover(secrets.token_hex(8), table.version, arrival=arrival, passed=OFF)


def _removed(admitted: Admitted, table: PolicyTable) -> tuple[str, ...]:
    """Request fields that do not go on.  On trial the model server may need all there are, but for
    what would have it answer in a way that cannot be read here, and what Envoy wrote for us.
    """
    if table.rollout.on_trial(admitted.policy.tenant):
        return ("accept-encoding", JA4)
    return (*table.credential_headers, *REMOVED)


def _turned(admitted: Admitted, away: Turned, left: Iterable[Left], now: float) -> Denied:
    """The denial, with what is told of the caller's limits."""
    policy, refusal = admitted.policy, away.refusal
    told_left = fields(left, policy.tenant, policy.families, now=now, wait=refusal.retry_after)
    principal = admitted.proof.principal
    return Denied(refusal.telling(told_left), policy.route, policy.tenant, principal, away.limit)


def _client(request: CheckedRequest, table: PolicyTable) -> str:
    """Where it came from, for whoever has to tell apart those without a name; keyed, since an
    address is a person's.
    """
    address = client_address(request, table.proxies)
    return hmac.digest(table.key, f"client {address}".encode(), "sha256").hex()[:16]
