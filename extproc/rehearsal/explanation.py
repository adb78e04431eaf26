"""What holds for a request, value by value, and where each stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson

from extproc.admission import Admitted, Denied, only_on_trial
from extproc.config import Config
from extproc.config.document import Origin, Place
from extproc.credentials import Needed
from extproc.policy import Policy, PolicyTable
from extproc.prediction import KINDS, Kind
from extproc.rehearsal.play import Answer, Played
from extproc.rehearsal.reasons import Reason, Reasons
from extproc.rollout import WHOLE

REQUEST: Final[Place] = ("request",)
"""Where values stand that are not of the policy."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value."""

    name: str
    value: str
    place: Place = ()
    origin: Origin | None = None
    """Where it stands; None where nobody wrote it, and it is built in."""


@dataclass(frozen=True, slots=True)
class Explanation:
    played: Played
    reason: Reason | None
    change: Row | None
    """What would have to say something else."""
    rows: Sequence[Row]
    untouched: bool = False
    """Whether it passes though it would be refused, since the file is on trial for who asks."""

    @property
    def allowed(self) -> bool:
        return self.played.goes_on or self.untouched

    @property
    def decision(self) -> str:
        if isinstance(self.played.decision, Needed):
            return "undecided"
        if self.untouched:
            return "passes untouched: refused only on trial"
        if not self.allowed:
            return "refused"
        if self.reason is not None:
            return "allowed in the shadow"
        return (
            "allowed"
            if self.played.asked is not None
            else "allowed, as far as its header fields say"
        )

    @property
    def reply(self) -> Answer | None:
        """What the client gets where the request does not go on."""
        return None if self.untouched else self.played.reply

    @property
    def status(self) -> int:
        """What the client gets, where the model server answers; 0 where that is not known."""
        if self.reply is not None:
            return self.reply.status
        return 200 if self.allowed else 0

    @property
    def code(self) -> str:
        """What the record calls it."""
        refusal = self.played.refusal
        if refusal is not None:
            return refusal.outcome
        return "allowed" if self.allowed else "issuer_not_asked"


def explain(config: Config, table: PolicyTable, played: Played) -> Explanation:
    reasons = Reasons(config, table)
    reason = reasons.of(played)
    rows = _Rows(config, table, reasons, played)
    change = rows.change(reason.place) if reason is not None else None
    denied = played.decision if isinstance(played.decision, Denied) else None
    untouched = denied is not None and only_on_trial(denied, table.rollout)
    return Explanation(played, reason, change, list(rows.all()), untouched)


class _Rows:
    def __init__(
        self, config: Config, table: PolicyTable, reasons: Reasons, played: Played
    ) -> None:
        self._config, self._document = config, config.document
        self._table, self._reasons, self._played = table, reasons, played

    def all(self) -> Iterator[Row]:
        decision = self._played.decision
        yield from self._rollout()
        if not isinstance(decision, Admitted):
            yield from self._known()
            return
        policy = self._played.policy or decision.policy
        source = self._reasons.source(decision.policy, policy)
        yield from self._route(policy)
        yield from self._policy(policy, source)
        yield from self._fidelity(policy, source)
        yield from self._features(policy, source)
        yield from self._limits(policy)
        yield from self._escalation(policy)
        yield from self._caps(policy)
        yield from self._request()

    def row(self, name: str, value: str, *places: Place) -> Row:
        """From the first of these places that somebody wrote."""
        lines = self._document.lines
        written = next((place for place in places if place in lines), None)
        if written is None:
            return Row(name, value, places[0])
        return Row(name, value, written, self._document.origin(written))

    def change(self, place: Place) -> Row:
        """Where something else would have to be written; what is not there, where it would be."""
        value = "" if place in self._document.lines else "add it"
        return Row("", value, place, self._document.origin(place))

    def _rollout(self) -> Iterator[Row]:
        """Where the file is not in force for all."""
        rollout, tenant = self._table.rollout, self._played.tenant
        if rollout == WHOLE:
            return
        far = f"{rollout.percent} % of tenants" if rollout.mode == "enforce" else rollout.mode
        whom = tenant or "strangers"
        told = "on trial" if rollout.on_trial(tenant) else "in force"
        yield self.row("rollout", f"{far}: {told} for {whom}", ("rollout",))

    def _known(self) -> Iterator[Row]:
        tenant = self._played.tenant
        if tenant in self._config.settings.tenants:
            yield self.row("tenant", tenant, ("tenants", tenant))
            name = str(self._reasons.policy(tenant)[1])
            yield self.row("policy", name, ("tenants", tenant, "policy"))

    def _route(self, policy: Policy) -> Iterator[Row]:
        route = policy.route
        place = self._reasons.route(route)
        settings = self._config.settings.routes[int(place[1])]
        yield self.row("route", route.name, place)
        kind = str(route.dialect.__struct_config__.tag)
        yield self.row("dialect", kind, (*place, "dialect", "kind"), (*place, "dialect"))
        yield self.row("risk", settings.risk, (*place, "risk"))
        asked, requirement = (*place, "credentials"), route.requirement
        any_of = requirement.any_of or (() if requirement.all_of else tuple(self._table.provers))
        if any_of:
            yield self.row("any credential of", ", ".join(any_of), (*asked, "any_of"))
        if requirement.all_of:
            yield self.row("credentials", ", ".join(requirement.all_of), (*asked, "all_of"))
        strength = (*asked, "strength")
        risk = ((*place, "risk"),) if settings.risk == "high" else ()
        yield self.row("strength", f"at least {requirement.strength}", strength, *risk)
        yield from self._input((*place, "input"))

    def _input(self, place: Place) -> Iterator[Row]:
        """What the route asks of requests, rule by rule, as it is written."""
        for name, said in _at(self._document.data, place).items():
            if isinstance(said, dict):
                for key, rule in said.items():
                    yield self.row(f"input {key}", _plain(rule), (*place, name, key))
            else:
                yield self.row(f"input.{name}", _plain(said), (*place, name))

    def _policy(self, policy: Policy, source: Place) -> Iterator[Row]:
        tenant, place = policy.tenant, self._reasons.policy(policy.tenant)
        settings = self._config.settings.policies[str(place[1])]
        yield self.row("tenant", tenant, ("tenants", tenant))
        if isinstance(self._played.decision, Admitted):
            proof = self._played.decision.proof
            yield Row("proven", f"{proof.principal}, of strength {proof.strength}", REQUEST)
        yield self.row("policy", str(place[1]), ("tenants", tenant, "policy"))
        yield self.row("mode", settings.mode, (*place, "mode"))
        yield self.row("models", ", ".join(policy.models), (*place, "models"))
        if self._played.asked is not None and self._played.asked.query.model:
            yield Row("model", self._played.asked.query.model, REQUEST)
        if len(source) > 2:
            yield self.row("exception", str(source[-1]), source)

    def _fidelity(self, policy: Policy, source: Place) -> Iterator[Row]:
        place, name = self._reasons.policy(policy.tenant), policy.fidelity.name
        yield self.row("fidelity", name, (*source, "fidelity"), (*place, "fidelity"))
        for kind in policy.fidelity.mutators:
            yield self.row(f"  {kind}", _chain(policy, kind), ("fidelities", name, kind))
        dropped = [kind for kind in KINDS if kind not in policy.fidelity.mutators]
        yield self.row("  dropped", ", ".join(dropped), ("fidelities", name))

    def _features(self, policy: Policy, source: Place) -> Iterator[Row]:
        place = self._reasons.policy(policy.tenant)
        for name, value in msgspec.structs.asdict(policy.terms.entitlement).items():
            places = (*source, "allow", name), (*place, "allow", name)
            said = "any number" if value is None else _plain(value)
            yield self.row(name, said, *places)
        yield self.row("repeatable", _plain(policy.terms.repeatable), (*place, "repeatable"))

    def _limits(self, policy: Policy) -> Iterator[Row]:
        own = self._reasons.policy(policy.tenant)
        names = {limit.name for limit in (*policy.limits, *policy.reserved)}
        for place in ((), own):
            for kind in ("limits", "budgets"):
                for index, written in enumerate(_at(self._document.data, (*place, kind)) or ()):
                    if written["name"] in names:
                        told = f"{kind.removesuffix('s')} {written['name']}"
                        yield self.row(told, limited(written), (*place, kind, index))
        for name in ("timing", "length", "stream"):
            written = [at for at in ((*own, name), (name,)) if at in self._document.lines]
            for at in written[:1]:
                yield self.row(name, _plain(_at(self._document.data, at)), at)

    def _escalation(self, policy: Policy) -> Iterator[Row]:
        """What becomes of the caller where it is suspected, where anything does."""
        if not policy.watched:
            return
        place = self._reasons.policy(policy.tenant)
        yield self.row("traffic", policy.traffic, (*place, "traffic"))
        if policy.exempt:
            yield self.row("exempt", "true", ("tenants", policy.tenant, "exempt"))
            return
        for index, written in enumerate(_at(self._document.data, (*place, "escalation"))):
            does = {name: said for name, said in written.items() if name not in {"above", "for"}}
            told = ", ".join(f"{name} {_plain(said)}" for name, said in does.items())
            name, time = f"suspicion above {written['above']}", written["for"]
            yield self.row(name, f"{told} for {time}", (*place, "escalation", index))

    def _caps(self, policy: Policy) -> Iterator[Row]:
        for name in ("request", "document", "value"):
            yield self.row(f"caps.{name}", f"{getattr(policy.caps, name)} bytes", ("caps", name))

    def _request(self) -> Iterator[Row]:
        asked = self._played.asked
        if asked is None:
            return
        inputs = f"{asked.query.inputs}" + (", as a stream" if asked.query.stream else "")
        yield Row("inputs", inputs, REQUEST)
        added = _added(self._played.body or b"", asked.body)
        fields = [*asked.changed, *added, *(f"header {name}" for name in asked.set_headers)]
        yield Row("changed", ", ".join(dict.fromkeys(fields)) or "nothing", REQUEST)


def _at(data: Any, place: Place) -> Any:
    """What is written there; nothing where nobody wrote anything."""
    for step in place:
        if isinstance(data, dict) and step not in data:
            return {}
        data = data[step]
    return data


def limited(written: Mapping[str, Any]) -> str:
    """A limit or budget in words."""
    per = written["per"]
    whom = per if isinstance(per, str) else " and ".join(per)
    time = written.get("window") or written.get("period")
    told = f"{written['max']} {written['count']} for each {whom}"
    return f"{told} in {time}" if time else told


def _added(came: bytes, sent: bytes) -> list[str]:
    """The names of a JSON body that the client did not write."""
    if came == sent:
        return []
    try:
        before, after = orjson.loads(came), orjson.loads(sent)
    except orjson.JSONDecodeError:
        return ["the body"]
    return [name for name in after if name not in before]


def _chain(policy: Policy, kind: Kind) -> str:
    chain = [*policy.fidelity.mutators[kind], *policy.fidelity.writings_on(kind)]
    return ", ".join(_mutator(each) for each in chain) or "pass"


def _mutator(mutator: Any) -> str:
    said = [f"{name}={_plain(getattr(mutator, name))}" for name in mutator.__struct_fields__]
    return f"{mutator.__struct_config__.tag}({', '.join(said)})"


def _plain(value: Any) -> str:
    """As it would stand in the file, on one line."""
    data = msgspec.to_builtins(value)
    return data if isinstance(data, str) else msgspec.json.encode(data).decode()
