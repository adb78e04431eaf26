"""Which routes a policy has, and what holds on them: its own terms, or those of an exception.

Rule: a line of the policy file that could never make a difference is an error, since whoever wrote
it believes that it does: a pattern that fits no route, an exception that others hide, a bound that
no request of the policy's routes could reach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import one_of
from extproc.config.settings import AllowSettings, ExceptionSettings, PolicySettings, Settings
from extproc.dialects.answers import streamed
from extproc.dialects.features import features
from extproc.entitlement import ALL, Entitlement
from extproc.route import Route

Patterns = tuple[str, ...]
_PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Tier:
    """A fidelity by its name, with its place in the file, and the features beside it."""

    fidelity: str
    place: Place
    entitlement: Entitlement
    source: Place
    """The policy or the exception that it is of."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a policy grants on one route."""

    tier: Tier
    exceptions: tuple[tuple[Patterns, Tier | None], ...]
    """By patterns of models, the first that fits; None where they are unknown."""
    sources: tuple[Place, ...]
    """Of each of them, the exception."""

    @property
    def tiers(self) -> set[Tier]:
        return {self.tier, *(tier for _, tier in self.exceptions if tier is not None)}


def compile_grants(
    document: Document, settings: Settings, routes: Sequence[Route]
) -> dict[str, dict[str, Grant]]:
    """By policy and the name of a route; of a route that a policy does not have, nothing."""
    return {
        name: _Grants(document, ("policies", name), policy, _by_name(settings, routes)).compiled()
        for name, policy in settings.policies.items()
    }


def _by_name(settings: Settings, routes: Sequence[Route]) -> dict[str, tuple[Route, bool]]:
    """The routes, and whether each is of high risk."""
    pairs = zip(routes, settings.routes, strict=True)
    return {route.name: (route, of.risk == "high") for route, of in pairs}


class _Grants:
    """Those of one policy."""

    def __init__(
        self,
        document: Document,
        place: Place,
        policy: PolicySettings,
        routes: Mapping[str, tuple[Route, bool]],
    ) -> None:
        self._document, self._place, self._policy = document, place, policy
        self._routes = routes
        self._used: set[int] = set()
        """The numbers of the exceptions that hold for something."""

    def compiled(self) -> dict[str, Grant]:
        names = self._granted()
        tiers = [self._exception(index, each) for index, each in enumerate(self._policy.exceptions)]
        own = Tier(
            self._policy.fidelity,
            (*self._place, "fidelity"),
            self._entitlement((*self._place, "allow"), self._policy.allow, ALL, names),
            self._place,
        )
        compiled = {name: self._on(name, own, tiers) for name in names}
        self._refuse_hidden()
        return {name: granted for name, granted in compiled.items() if granted is not None}

    def _granted(self) -> list[str]:
        """The names of its routes: those of high risk have to be named once more."""
        wide = self._matching((*self._place, "routes"), self._policy.routes, self._routes)
        risky = {name for name, (_, high) in self._routes.items() if high and name in wide}
        named = self._policy.high_risk
        high = self._matching((*self._place, "high_risk"), named, risky, "high risk")
        names = [name for name in self._routes if name in wide and name not in risky - high]
        if not names:
            wrong = "the policy has no route: those it names are of high risk, and not granted"
            raise self._document.fault((*self._place, "high_risk"), wrong, "name them there too")
        return names

    def _matching(
        self, place: Place, patterns: Sequence[str], names: Any, kind: str = ""
    ) -> set[str]:
        found: set[str] = set()
        for index, pattern in enumerate(patterns):
            fitting = {name for name in names if fnmatchcase(name, pattern)}
            if not fitting and self._own((*place, index)):
                wrong = f"fits no route of the policy{' that is of ' + kind if kind else ''}"
                known = one_of(names) if names else "risk: high at the route, or remove it"
                raise self._document.fault((*place, index), wrong, f"write {known}")
            found |= fitting
        return found

    def _exception(self, index: int, settings: ExceptionSettings) -> "_Exception":
        place = (*self._place, "exceptions", index)
        names = self._matching((*place, "routes"), settings.routes, self._granted())
        for number, model in enumerate(settings.models):
            here = (*place, "models", number)
            if _PATTERN.isdisjoint(model) and not self._has(model) and self._own(here):
                wrong = f"the policy has no model {shown(model)}"
                raise self._document.fault(here, wrong, "name it in the policy's models too")
        if settings.deny:
            return _Exception(names, settings.models, None)
        features = self._entitlement(
            (*place, "allow"),
            settings.allow,
            self._entitlement((*self._place, "allow"), self._policy.allow, ALL, self._granted()),
            names,
        )
        named = settings.fidelity is not None
        fidelity_place = (*place, "fidelity") if named else (*self._place, "fidelity")
        tier = Tier(settings.fidelity or self._policy.fidelity, fidelity_place, features, place)
        return _Exception(names, settings.models, tier)

    def _own(self, place: Place) -> bool:
        """Whether the policy file says it: a base file speaks to many, of which some lack it."""
        return self._document.origin(place).layer == "policy"

    def _has(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self._policy.models)

    def _on(self, name: str, own: Tier | None, exceptions: Sequence["_Exception"]) -> Grant | None:
        """What holds on a route; None where all of it is denied."""
        of_models: list[tuple[Patterns, Tier | None]] = []
        sources: list[Place] = []
        for index, each in enumerate(exceptions):
            if name not in each.routes:
                continue
            self._used.add(index)
            if not each.models:
                own = each.tier
                break
            of_models.append((each.models, each.tier))
            sources.append((*self._place, "exceptions", index))
        return Grant(own, tuple(of_models), tuple(sources)) if own is not None else None

    def _refuse_hidden(self) -> None:
        for index in range(len(self._policy.exceptions)):
            here = (*self._place, "exceptions", index)
            if index not in self._used and self._own(here):
                wrong = "never reached: those above hold for all models of its routes"
                raise self._document.fault(here, wrong, "move it up, or remove it")

    def _entitlement(
        self, place: Place, settings: AllowSettings, otherwise: Entitlement, names: Any
    ) -> Entitlement:
        """What is said, and of what is not said what holds otherwise."""
        said = {
            name: value
            for name, value in msgspec.structs.asdict(settings).items()
            if value is not None
        }
        for name, value in said.items():
            reached = any(_has(self._routes[one][0], name) for one in names)
            if value is not False and not reached and self._own((*place, name)):
                wrong = "no request of these routes can ask for it"
                raise self._document.fault((*place, name), wrong, "remove it")
        return msgspec.structs.replace(otherwise, **said)


@dataclass(frozen=True, slots=True)
class _Exception:
    routes: set[str]
    models: Patterns
    tier: Tier | None


def _has(route: Route, feature: str) -> bool:
    """Whether a request of the route can ask for it; of several inputs any can."""
    if feature == "streaming":
        return any(map(streamed, route.dialect.answers().values()))
    return feature == "batch" or feature in features(route.dialect.read)
