"""What applies to one tenant on one route: immutable, compiled once, replaced whole.

Rule: everything a request can name is resolved when the table is built, so that serving can no
longer fail on a name.  What the table does not hold is denied.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from extproc.audit import Pseudonyms
from extproc.canonical import Steps, digests
from extproc.caps import Caps
from extproc.cause import Cause
from extproc.client_address import Proxies
from extproc.credentials import EnvoyJwts, Prover
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.dialects.answers import Answer, Answers, streamed
from extproc.dialects.gate import Terms
from extproc.dialects.kinds import outputs_of
from extproc.dialects.mutation import Mutation
from extproc.dialects.noticed import Noticed
from extproc.dialects.paid import Paid
from extproc.dialects.request import Asked
from extproc.dialects.told import Told
from extproc.draw import Draw, Draws
from extproc.errors import ClientError, UpstreamError
from extproc.escalation import NO_STEPS, Ladder
from extproc.fidelity import Fidelity
from extproc.information import Information
from extproc.limits import (
    PRIVATE,
    USUAL,
    Amounts,
    Caller,
    Charge,
    Limit,
    Networks,
    Tariff,
    charges,
    presence,
)
from extproc.limits.memos import MOST
from extproc.marks.canaries import Canaries
from extproc.marks.keeping import Keeping
from extproc.marks.marking import Marking, Marks
from extproc.marks.pledge import Pledge
from extproc.mutators import space_id
from extproc.prediction import Kind, Query
from extproc.rate_limit_fields import Family
from extproc.refusal import UNKNOWN_MODEL, Refusal
from extproc.rollout import WHOLE, Rollout
from extproc.route import Route
from extproc.shaping import UNSHAPED, Shaping

CLOSELY: Final = 32 << 10
"""Bytes of a request whose inputs are brought into their canonical form for the record alone: of
more it would cost too much."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One tenant on one route."""

    tenant: str
    route: Route
    fidelity: Fidelity
    edits: Mapping[Kind, Mutation | None]
    """``fidelity.edits()``, built once."""
    answers: Answers
    """``route.dialect.answers()``, built once."""
    terms: Terms
    """What its requests may ask for."""
    draw: Draw | None
    """Of the key epoch and the tenant; None where no mutator of the tier is keyed."""
    models: tuple[str, ...]
    """Patterns as in fnmatch; a model that matches none is unknown to this tenant."""
    limits: tuple[Limit, ...]
    """What its requests count against as soon as they come."""
    shadow: bool
    """Decide and record, change nothing."""
    caps: Caps
    reserved: tuple[Limit, ...] = ()
    """What they count against once they have been read, before they go on."""
    tariff: Tariff = USUAL
    information: Information | None = None
    """What its answers tell; None where nobody counts that."""
    ledger: Information | None = None
    """What of them is answered privately; None where nobody counts that."""
    families: frozenset[Family] = frozenset()
    """By which header fields its callers are told what is left of their limits."""
    cohort: str = ""
    """Empty where the tenant belongs to none."""
    risk: str = "normal"
    """The risk class of the route."""
    stoppable: bool = False
    """Whether an operator may stop its tenant: then each request takes something of its own."""
    secret: bytes = field(default=b"", repr=False)
    """Under which end users are hashed, and challenges signed."""
    shaping: Shaping = UNSHAPED
    most_inputs: int | None = None
    """Of one request, where its tier compares what the route answers; None where it does not."""
    spaced: bool = False
    """Whether its answers are told apart by the space that their vectors lie in."""
    audited: bool = False
    """Whether the digests of inputs are wanted for the record."""
    ladder: Ladder = NO_STEPS
    """What becomes of its callers when they are suspected; of those that are exempt nothing."""
    traffic: str = "user"
    """Of which kind its callers are, by which what they ask is judged."""
    exempt: bool = False
    """Whether its tenant is never put on a step."""
    watched: bool = False
    """Whether somebody looks at how its callers ask."""
    epoch: int = 1
    """Of the key that everything is drawn from."""
    marks: Marks | None = None
    """How its answers are marked, so that a copy is known by them; None where they are not."""
    marked_by: Draw | None = None
    """Of the key epoch, and of whoever its vectors are marked for; None where they are not."""
    canaries: Canaries | None = None
    """What stands behind some of its texts, to the same end; None where nothing does."""
    kept: float = 0.0
    """The share of its vectors that are committed to; 0 where none is marked, or kept."""
    pledges: tuple[Pledge, ...] = ()
    """What all of its texts are written by, to the same end."""

    lower: "dict[str, Policy]" = field(default_factory=dict)
    """The same at tiers below its own, that an exhausted budget may call for; best first."""
    exceptions: "tuple[tuple[tuple[str, ...], Policy | None], ...]" = ()
    """What applies to models of these patterns instead, the first that fits; None where they are
    unknown on this route."""

    def check_inputs(self, count: int) -> None:
        """Raise ClientError where one request may not have so many."""
        most = self.most_inputs
        if most is not None and count > most:
            raise ClientError(f"No more than {most} inputs can be compared in one request.")

    def answer(self, content_type: str, query: Query) -> Answer:
        """What is answered in such a body.  Raise UpstreamError where the request can have none."""
        media_type = content_type.partition(";")[0].strip().lower()
        answer = self.answers.get(media_type)
        if answer is None or (streamed(answer) and not query.stream):
            raise UpstreamError("the answer's content type is not one this request can have")
        return answer

    def told(
        self, inputs: int, model: str = "", knobs: int = 0, marking: Marking | None = None
    ) -> Told:
        """Where an answer to so many inputs tells what it tells."""
        return Told(
            marking=marking,
            measure=self.information.measure(inputs) if self.information else None,
            noticed=Noticed(self.secret + model.encode(), knobs) if self.watched else None,
        )

    def paid(
        self, asked: Asked, keys: Sequence[bytes] = (), recalled: Sequence[int | None] = ()
    ) -> Paid | None:
        """What may be answered privately, but for what is told again; None where nobody counts.

        ``keys`` are its ``memos``.
        """
        if self.ledger is None or not self.ledger.prices:
            return None
        fresh = asked.query.inputs - sum(each is not None for each in recalled)
        private = self.ledger.private(asked.query, asked.noted)
        left = {kind: number * fresh for kind, number in private.items()}
        return Paid(self.ledger.prices, left, recalled, keys)

    @property
    def remembers(self) -> bool:
        """Whether answers are told again that were paid for; of one output, so that it is known
        which answer was told.
        """
        if self.ledger is None or self.draw is None:
            return False
        return "votes" in self.ledger.prices and outputs_of(self.route.dialect, "votes") == 1

    def memos(self, asked: Asked, inputs: Sequence[bytes], caller: Caller) -> tuple[bytes, ...]:
        """Under what the answer to each input is remembered; see Memos.

        Named is all that it depends on but the model's answer: the key epoch, the tenant and the
        model, what the tier does, the route, and the input; and who paid for it, where budgets tell
        callers apart: nobody else's promise has room for it.  BLAKE2b (RFC 7693), keyed.
        """
        if self.draw is None or not len(inputs) == asked.query.inputs <= MOST:
            return ()
        key, label = self._space(asked.query.model).key, self.fidelity.digest()
        label += self.route.name.encode()
        for whom in sorted({each.whom(caller) for each in self.reserved if each.unit in PRIVATE}):
            label += b"|" + whom.encode(errors="surrogatepass") if whom else b""
        space = blake2b(label, digest_size=4, key=key, person=b"memos").digest()
        return tuple(
            space + blake2b(each + label, digest_size=16, key=key, person=b"memo").digest()
            for each in inputs
        )

    def space(self, model: str) -> str:
        """The name of that space; empty where there is none."""
        return space_id(self._space(model)) if self.spaced else ""

    def of(self, model: str) -> "Policy | None":
        """What applies to a model, None where it is unknown to this tenant on this route."""
        if not _fits(model, self.models):
            return None
        return next((other for models, other in self.exceptions if _fits(model, models)), self)

    def draws(
        self, model: str, inputs: Sequence[bytes], marking: Marking | None = None
    ) -> Draws | None:
        """What the answer about inputs of these digests draws from."""
        if self.draw is None:
            return None
        cells = marking.cells if marking is not None else {}
        copies = self.marked_by.child(b"model " + model.encode()) if self.marked_by else None
        return Draws(self._space(model), inputs, self.fidelity.digest(), cells, copies)

    def marking(self, asked: Asked, inputs: Sequence[bytes] = ()) -> Steps[Marking | None]:
        """Which answers of a request are marked, and committed to; None where none is.

        ``inputs``: digests of the canonical ones.
        """
        marks = self.canaries if asked.prose and self.canaries is not None else self.marks
        found = None
        if marks is not None:
            found = yield from marks.marking(asked.query.model, asked.inputs)
        keeping = self._keeping(asked.query.model)
        kept = (yield from keeping.kept(asked.inputs, inputs)) if keeping is not None else None
        if kept or self.pledges:
            found = found or Marking({}, frozenset(), single=asked.query.inputs == 1)
            found.kept = kept or {}
            pledged = (each.finding(asked.query.model, self.route.name) for each in self.pledges)
            found.findings += pledged
        return found

    def _keeping(self, model: str) -> Keeping | None:
        moving = self.fidelity.moving
        if not self.kept or moving is None or self.marked_by is None:
            return None
        return Keeping(self.marked_by.child(b"model " + model.encode()), moving.strength, self.kept)

    def _space(self, model: str) -> Draw:
        assert self.draw is not None
        return self.draw.child(b"model " + model.encode())

    def digests(self, asked: Asked) -> Steps[Sequence[bytes]]:
        """Of the canonical inputs, where anything draws from them or a record is kept.

        For the record alone, and of a body that is long, of its bytes as they are.
        """
        if self.draw is None and not self.audited:
            return ()
        if self.draw is None and len(asked.body) > CLOSELY:
            return (sha256(asked.body).digest(),)
        return (yield from digests(asked.inputs))

    def permits(self, model: str) -> bool:
        return self.of(model) is not None

    def unknown(self, model: str) -> Refusal:
        """How a model is refused that is not permitted."""
        listed = _fits(model, self.models)
        return UNKNOWN_MODEL.called(Cause.MODEL_DENIED) if listed else UNKNOWN_MODEL

    def lowest(self, fidelities: Collection[str]) -> "Policy | None":
        """The same at the lowest of these tiers; None where it is not below its own."""
        return next((self.lower[name] for name in reversed(self.lower) if name in fidelities), None)

    def charges(self, caller: Caller) -> list[Charge]:
        """What one request counts against as soon as it comes."""
        found = charges(self.limits, caller, Amounts()) if self.limits else []
        if not self.stoppable or (self.reserved and not self.shadow) or self._present(found):
            return found
        return [*found, presence(self.tenant)]

    def present(self, found: Sequence[Charge]) -> Sequence[Charge]:
        """What it takes besides, once it has been read, so that its tenant can be stopped."""
        if not self.stoppable or not self.reserved or self.shadow or self._present(found):
            return ()
        cohort = self.cohort or self.tenant
        early = any(limit.group(self.tenant, cohort) == self.tenant for limit in self.limits)
        return () if early else (presence(self.tenant),)

    def _present(self, found: Sequence[Charge]) -> bool:
        """Whether it takes anything of its tenant's own."""
        return any(charge.group == self.tenant for charge in found)

    def caller(self, principal: str, networks: Networks, user: str = "", model: str = "") -> Caller:
        """Who asks, as counters tell callers apart."""
        named = hmac.digest(self.secret, user.encode(), "sha256").hex()[:16] if user else ""
        return Caller(
            tenant=self.tenant,
            principal=principal,
            cohort=self.cohort or self.tenant,
            route=self.route.name,
            risk=self.risk,
            networks=networks,
            user=named,
            model=model,
        )

    @property
    def prefixes(self) -> set[tuple[int, int]]:
        """The lengths of prefixes by which its limits tell addresses apart."""
        limits = (*self.limits, *self.reserved)
        return {limit.prefix for limit in limits if "address" in limit.per}


def _fits(model: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)


class Excerpt(msgspec.Struct, frozen=True):
    """What the record of an exchange needs of a table when it ends: one that was replaced goes,
    though an exchange of it runs for hours.
    """

    version: str
    pseudonyms: Pseudonyms | None = None
    policy: Policy | None = None


@dataclass(frozen=True)
class PolicyTable:
    """Every policy of one configuration."""

    version: str
    """Digest of the configuration: an exchange is finished by the table that admitted it."""
    key: bytes = field(repr=False)
    """HMAC key under which API keys are hashed."""
    routes: tuple[Route, ...]
    provers: Mapping[str, Prover]
    """By the name that the policy calls a credential."""
    tenants: Mapping[str, str]
    """Principal -> tenant."""
    policies: Mapping[tuple[str, str], Policy]
    """(tenant, route name) -> policy."""
    caps: Caps
    shapings: Mapping[str, Shaping] = field(default_factory=dict)
    """By tenant; under "", for what strangers are denied."""
    pseudonyms: Pseudonyms | None = None
    """What stands for callers and inputs in the audit log, where there is one."""
    proxies: Proxies = field(default_factory=Proxies)
    """Between clients and Envoy."""
    rollout: Rollout = WHOLE
    """For whom it is in force."""
    selected: Mapping[str, Mapping[tuple[str, str], Policy]] = field(default_factory=dict)
    """By name of a policy: what holds where Envoy's configuration selects it for a route, whatever
    policy the tenant has."""
    selected_shapings: Mapping[str, Shaping] = field(default_factory=dict)
    """By name of a policy."""

    def selecting(self, name: str) -> Mapping[tuple[str, str], Policy]:
        """By tenant and route; under a name that no policy has, nothing is granted."""
        return self.selected.get(name, {}) if name else self.policies

    def shaping(self, tenant: str, selected: str = "") -> Shaping:
        """Of what it is answered, and denied, where this policy is selected for a route."""
        own = self.shapings.get(tenant, UNSHAPED)
        if not tenant or self.rollout.on_trial(tenant):
            return own
        return self.selected_shapings.get(selected, own)

    def excerpt(self, policy: Policy | None) -> "Excerpt":
        """For the record of an exchange under this policy."""
        return Excerpt(self.version, self.pseudonyms, policy)

    def served(self) -> "PolicyTable":
        """What ext_proc needs of it, while it admits nobody any more."""
        return replace(self, provers={}, tenants={})

    @cached_property
    def credential_headers(self) -> tuple[str, ...]:
        """What a request proves who it is by: taken out before it goes on."""
        return tuple(
            dict.fromkeys(name for prover in self.provers.values() for name in prover.headers)
        )

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The dynamic metadata that a credential asks for."""
        asked = any(isinstance(prover, EnvoyJwts) for prover in self.provers.values())
        return (NAMESPACE,) if asked else ()
