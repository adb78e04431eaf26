"""What applies to each tenant on each route: its tiers, its limits, its terms, put together.

Rule: everything that could not be made, or could not act, is an error when the file is loaded; what
is made later, for a tenant that asks, is made of what was checked then.
"""

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, TypeVar

import msgspec

from extproc.caps import Caps
from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.entitlements import Grant, Tier, compile_grants
from extproc.config.escalations import compile_ladders, prices
from extproc.config.expectation import instead
from extproc.config.fidelities import check_other, compile_fidelities
from extproc.config.gatherings import check_gatherings
from extproc.config.granted import Granted, Selected
from extproc.config.limits import Below, check_bits, counts
from extproc.config.marks import Marker, check_marks
from extproc.config.privacy_budgets import check_private, check_spent
from extproc.config.private_mutators import check_beside, check_lowered
from extproc.config.settings import PolicySettings, Settings
from extproc.config.shapings import shaped
from extproc.config.texts import Texts, check_texts, vocabularies
from extproc.dialects import OpenAIChat, OpenAICompletions
from extproc.dialects.gate import Terms
from extproc.dialects.kinds import kinds_of
from extproc.dialects.vector_places import vector_places
from extproc.draw import Draw
from extproc.escalation import NO_STEPS
from extproc.fidelity import Fidelity
from extproc.information import Information
from extproc.marks.marking import Marks
from extproc.policy import Policy
from extproc.rate_limit_fields import Family, spoken
from extproc.route import Route
from extproc.shaping import Shaping

Named = TypeVar("Named")
_Marked = tuple[Marks | None, Texts | None]
_UNMARKED: Final[_Marked] = (None, None)


class _Policies:
    """What is needed to make a tenant's policy on a route; nothing else of the settings is kept."""

    def __init__(
        self,
        document: Document,
        settings: Settings,
        key: bytes,
        routes: Sequence[Route],
        shapings: Mapping[str, Shaping],
    ) -> None:
        self._rollout = settings.rollout.rollout()
        grants = compile_grants(document, settings, routes)
        counted = counts(document, settings, routes, grants)
        self._ladders = compile_ladders(document, settings, grants, counted)
        for name, ladders in self._ladders.items():
            for route, ladder in ladders.items():
                counted[name][route]["informed"] |= prices(ladder)
        self._below = Below(settings, counted, self._ladders)
        self._exempt = {tenant for tenant, chosen in settings.tenants.items() if chosen.exempt}
        self._tiers = _tiers(document, settings, grants, routes, self._below)
        self._places = {
            name: _places(routes, granted, shapings[name], counted[name], settings.policies[name])
            for name, granted in grants.items()
        }
        self._shared = {name: _shared(policy) for name, policy in settings.policies.items()}
        self._names = {tenant: chosen.policy for tenant, chosen in settings.tenants.items()}
        self._cohorts = {tenant: chosen.cohort or "" for tenant, chosen in settings.tenants.items()}
        self._root = draw_root(key, settings.keys.epoch)
        self._marker = Marker(self._root, vocabularies(document, settings))
        self._kept = settings.ownership.embeddings if settings.ownership is not None else 0.0

    def _marks(self, tenant: str, cohort: str, fidelity: Fidelity) -> _Marked:
        marks = self._marker.of(tenant, cohort)(fidelity.mark) if fidelity.mark else None
        texts = self._marker.texts(tenant, cohort, fidelity) if fidelity.writings else None
        return marks, texts

    def routes(self, document: Document) -> dict[str, Mapping[str, object]]:
        """By tenant, those that it has."""
        return {
            tenant: _named(document, ("tenants", tenant, "policy"), name, self._places)
            for tenant, name in self._names.items()
        }

    def selected(self, name: str) -> dict[str, Mapping[str, object]]:
        """By tenant, those that all have under one policy."""
        return dict.fromkeys(self._names, self._places[name])

    def make(
        self, common: Mapping[str, Any], tenant: str, route: str, selected: str = ""
    ) -> Policy:
        """``common`` holds for every tenant on every route; ``selected`` instead of its own."""
        name = selected or self._names[tenant]
        place, tiers = self._places[name][route], self._tiers[name]
        more = {**common, **self._shared[name], "cohort": self._cohorts[tenant]}
        more["shadow"] = more["shadow"] or self._rollout.on_trial(tenant)
        exempt = tenant in self._exempt
        marking = None if exempt else partial(self._marks, tenant, more["cohort"])
        more["marked_by"] = None if exempt else self._marker.key(tenant, more["cohort"])
        more["kept"] = 0.0 if exempt or not place.embeds else self._kept
        more["exempt"], more["ladder"] = exempt, NO_STEPS if exempt else self._ladders[name][route]
        bare: Callable[..., Policy] = partial(_owned, tenant, self._root, place, marking, **more)

        def own(tier: Tier, **besides: Any) -> Policy:
            lower: dict[str, Policy] = {}
            for each in reversed(self._below.tiers(name, route, tier)):
                # Each can be lowered further: budgets may be found exhausted one after another.
                lower = {each.fidelity: bare(tiers[each], lower=lower), **lower}
            return bare(tiers[tier], lower=lower, **besides)

        others = tuple(
            (models, own(tier) if tier is not None else None)
            for models, tier in place.grant.exceptions
        )
        return own(place.grant.tier, exceptions=others)


def draw_root(key: bytes, epoch: int) -> Draw:
    """What everything is drawn from, in a key epoch."""
    return Draw(hmac.digest(key, b"draw", "sha256")).child(str(epoch).encode())


def compile_policies(
    document: Document,
    settings: Settings,
    key: bytes,
    routes: Sequence[Route],
    caps: Caps,
    shapings: Mapping[str, Shaping],
) -> tuple[Granted, Selected]:
    """By tenant and route, and the same by policy; made when it is first asked for.

    Raise ConfigError where one could not be made, or could not act.
    """
    policies = _Policies(document, settings, key, routes, shapings)
    common = {
        "caps": caps,
        "audited": settings.audit is not None,
        "stoppable": settings.control is not None,
        "watched": settings.detection is not None,
        "secret": hmac.digest(key, b"user", "sha256"),
        "epoch": settings.keys.epoch,
    }
    make = partial(policies.make, common)

    def selected(name: str) -> Granted:
        return Granted(policies.selected(name), partial(make, selected=name))

    return Granted(policies.routes(document), make), Selected(settings.policies, selected)


def _places(
    routes: Sequence[Route],
    granted: Mapping[str, Grant],
    shaping: Shaping,
    counted: Mapping[str, Mapping[str, Any]],
    settings: PolicySettings,
) -> dict[str, "_Place"]:
    """By the name of each route that a policy has."""
    return {
        route.name: _place(
            route, granted[route.name], shaping, counted[route.name], settings.limit_headers
        )
        for route in routes
        if route.name in granted
    }


@dataclass(frozen=True)
class _Place:
    """What a policy is on a route, whoever's it is and whatever its tier."""

    grant: Grant
    here: Mapping[str, Any]
    embeds: bool
    """Whether the route answers vectors."""
    writes: bool
    """Whether it answers texts."""
    informed: bool
    """Whether bits are counted there."""
    private: bool
    """Whether it is counted there what is told of what a tier hides."""
    informations: dict[str, Information] = field(default_factory=dict)
    """By tier: what it lets through there."""

    @cached_property
    def ended(self) -> Mapping[str, Any]:
        """What it is where words stand behind texts."""
        dialect = self.here["route"].dialect
        if not isinstance(dialect, OpenAIChat | OpenAICompletions):
            return self.here
        return {**self.here, "answers": shaped(dialect.ended(), self.here["shaping"])}

    def information(self, fidelity: Fidelity) -> Information:
        route: Route = self.here["route"]
        known = self.informations.get(fidelity.name)
        if known is None:
            known = Information(route.dialect, fidelity.mutators, route.sizes)
            self.informations[fidelity.name] = known
        return known


def _place(
    route: Route,
    grant: Grant,
    shaping: Shaping,
    counted: Mapping[str, Any],
    families: Collection[Family],
) -> _Place:
    answers = shaped(route.dialect.answers(), shaping)
    counting = dict(counted)
    informed, private = counting.pop("informed"), counting.pop("private")
    here = {"route": route, "answers": answers, "shaping": shaping, **counting}
    if shaping.buckets is None:  # else no answer has a field that others lack
        here["families"] = spoken(families, str(type(route.dialect).__struct_config__.tag))
    embeds = any(map(vector_places, answers.values()))
    writes = "text" in kinds_of(route.dialect)
    return _Place(grant, here, embeds, writes, informed, private)


def _owned(
    tenant: str,
    root: Draw,
    place: _Place,
    marking: Callable[[Fidelity], _Marked] | None,
    tier: Mapping[str, Any],
    **more: Any,
) -> Policy:
    own, fidelity = root.child(tenant.encode()), tier["fidelity"]
    salt = own.child(b"cache_salt").key.hex()
    marks, texts = marking(fidelity) if marking is not None else _UNMARKED
    if not place.writes:
        texts = None
    imposed = texts.imposed(fidelity) if texts is not None else {}
    canaries = texts.canaries(fidelity) if texts is not None else None
    return Policy(
        tenant=tenant,
        fidelity=fidelity,
        edits=tier["edits"],
        terms=msgspec.structs.replace(tier["terms"], salt=salt, imposed=imposed),
        draw=own if fidelity.keyed else None,
        information=place.information(fidelity) if place.informed else None,
        ledger=place.information(fidelity) if place.private else None,
        most_inputs=fidelity.compared if place.embeds else None,
        spaced=fidelity.rotates and place.embeds,
        marks=marks,
        canaries=canaries,
        pledges=texts.pledges(fidelity) if texts is not None else (),
        **(place.here if canaries is None else place.ended),
        **more,
    )


def _tiers(
    document: Document,
    settings: Settings,
    grants: Mapping[str, Mapping[str, Grant]],
    routes: Sequence[Route],
    below: Below,
) -> dict[str, dict[Tier, dict[str, Any]]]:
    """By policy: what each of its tiers makes of it, and those that budgets lower it to."""
    fidelities = compile_fidelities(document, settings.fidelities)
    tiers: dict[str, dict[Tier, dict[str, Any]]] = {name: {} for name in settings.policies}
    served = list[tuple[str, Route, Fidelity]]()
    for name, policy in settings.policies.items():
        for route in routes:
            granted = grants[name].get(route.name)
            for tier in below.all(name, route.name, granted.tiers) if granted else ():
                made = _tier(document, tier, fidelities, repeatable=policy.repeatable)
                check_other(document, made["fidelity"], route)
                check_gatherings(document, made["fidelity"], [route])
                check_beside(document, made["fidelity"], route)
                check_marks(document, settings, made["fidelity"], [route])
                check_texts(document, settings, made["fidelity"], [route])
                check_bits(document, settings, name, route, made["fidelity"], tier)
                check_private(document, settings, name, route, made["fidelity"])
                tiers[name][tier] = made
            for tier in granted.tiers if granted else ():
                lower = [tier, *below.tiers(name, route.name, tier)]
                check_lowered(document, [fidelities[each.fidelity] for each in lower], route)
                served += [(name, route, fidelities[each.fidelity]) for each in lower]
    check_spent(document, settings, served)
    return tiers


def _tier(
    document: Document, tier: Tier, fidelities: Mapping[str, Fidelity], *, repeatable: bool
) -> dict[str, Any]:
    fidelity = _named(document, tier.place, tier.fidelity, fidelities)
    terms = Terms(
        frozenset(fidelity.mutators),
        untouched=frozenset(kind for kind, chain in fidelity.mutators.items() if not chain),
        repeatable=repeatable,
        alternatives=fidelity.alternatives,
        entitlement=tier.entitlement,
    )
    return {"fidelity": fidelity, "edits": fidelity.edits(), "terms": terms}


def _shared(settings: PolicySettings) -> dict[str, Any]:
    """What holds wherever the policy does, whoever has it."""
    return {
        "models": settings.models,
        "shadow": settings.mode == "shadow",
        "traffic": settings.traffic,
    }


def _named(document: Document, place: Place, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        wrong = f"there is no {place[-1]} {shown(name)}"
        raise document.fault(place, wrong, instead(name, known))
    return known[name]
