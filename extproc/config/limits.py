"""Limits and budgets, compiled: for every policy and route, what its requests count against.

Rule (design law 12): a limit that could not hold, or that no request would ever count against, is
an error.  So is one in tokens where a request may have any number of them written.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from extproc.config.document import Document, Place
from extproc.config.entitlements import Grant, Tier
from extproc.config.escalations import tiers
from extproc.config.exhaustion import compile_exhausted
from extproc.config.expectation import one_of
from extproc.config.limit_settings import BudgetSettings, CreditSettings, LimitSettings
from extproc.config.privacy_budgets import private_rule, private_unit, promise
from extproc.config.settings import Settings
from extproc.config.sizes import check_counted
from extproc.credentials.claims import TokenSettings
from extproc.dialects.features import features
from extproc.dialects.kinds import kinds_of
from extproc.escalation import Ladder
from extproc.fidelity import Fidelity
from extproc.limits import (
    MILLI,
    PRIVATE,
    Calendar,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Rule,
    Sliding,
    Tariff,
    Unit,
    microseconds,
)
from extproc.limits.exhaustion import DENY, Action, Challenge, Lower, StepUp
from extproc.route import Route
from extproc.units import seconds

_LARGEST: Final = 1 << 52
"""What a script of Redis counts exactly, twice over."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A limit, with its place in the file."""

    settings: LimitSettings | BudgetSettings
    place: Place
    limit: Limit


def counts(
    document: Document,
    settings: Settings,
    routes: Sequence[Route],
    grants: Mapping[str, Mapping[str, Grant]],
) -> dict[str, dict[str, dict[str, Any]]]:
    """By policy and route: the fields of a Policy that say what its requests count for."""
    limits, tariffs = _limits(document, settings, routes, grants), _tariffs(settings.credits)
    risks = {route.name: of.risk for route, of in zip(routes, settings.routes, strict=True)}
    return {
        name: {
            route: {
                "limits": tuple(limit for limit in of_route if limit.early),
                "reserved": tuple(limit for limit in of_route if not limit.early),
                "tariff": tariffs[risks[route]],
                "informed": any(map(_counts_answers, of_route)),
                "private": any(limit.unit in PRIVATE for limit in of_route),
                "risk": risks[route],
            }
            for route, of_route in by_route.items()
        }
        for name, by_route in limits.items()
    }


class Below:
    """The tiers that exhausted budgets and steps of escalation lower answers to, below the one that
    they would have.
    """

    def __init__(
        self,
        settings: Settings,
        counted: Mapping[str, Mapping[str, Any]],
        ladders: Mapping[str, Mapping[str, Ladder]],
    ) -> None:
        self._order = [*settings.fidelities]
        self._named = {
            (policy, route): {
                limit.exhausted.fidelity
                for limit in fields["reserved"]
                if isinstance(limit.exhausted, Lower)
            }
            | tiers(ladders[policy][route])
            for policy, by_route in counted.items()
            for route, fields in by_route.items()
        }

    def tiers(self, policy: str, route: str, tier: Tier) -> list[Tier]:
        """Best first."""
        own = self._order.index(tier.fidelity) if tier.fidelity in self._order else 0
        named = self._named[policy, route]
        return [replace(tier, fidelity=name) for name in self._order[own + 1 :] if name in named]

    def all(self, policy: str, route: str, tiers: Iterable[Tier]) -> Iterator[Tier]:
        """These, each with those below."""
        for tier in tiers:
            yield tier
            yield from self.tiers(policy, route, tier)


def check_bits(
    document: Document, settings: Settings, name: str, route: Route, tier: Fidelity, granted: Tier
) -> None:
    """Raise ConfigError where a budget counts bits of a route that have no bound at a tier."""
    of_policy = ("policies", name)
    for place, of in (((), settings), (of_policy, settings.policies[name])):
        for kind in ("limits", "budgets"):
            for index, line in enumerate(getattr(of, kind)):
                ours = any(fnmatchcase(route.name, each) for each in line.routes)
                if ours and line.count == "bits":
                    here = (*place, kind, index, "count")
                    check_counted(document, here, route, tier, granted.entitlement)


def _limits(
    document: Document,
    settings: Settings,
    routes: Sequence[Route],
    grants: Mapping[str, Mapping[str, Grant]],
) -> dict[str, dict[str, tuple[Limit, ...]]]:
    """By policy and route: first those of the whole file, then the policy's own."""
    of_all = [*_lines(document, (), settings, settings.fidelities, shared=True)]
    _refuse_repeats(document, of_all)
    risks = [(route, of.risk) for route, of in zip(routes, settings.routes, strict=True)]
    used: set[Place] = set()
    compiled = {}
    for name, policy in settings.policies.items():
        own = [*_lines(document, ("policies", name), policy, settings.fidelities, shared=False)]
        lines = [*of_all, *own]
        _refuse_repeats(document, lines)
        granted = [(route, risk) for route, risk in risks if route.name in grants[name]]
        compiled[name] = {
            route.name: tuple(line.limit for line in _of_route(lines, route, risk, used))
            for route, risk in granted
        }
        _refuse_idle(document, own, used)
        _refuse_raising(document, settings, own, policy.fidelity)
        _refuse_unprovable(document, settings, lines)
        _refuse_boundless(document, settings.credits, lines, granted, grants[name])
    if settings.policies:
        _refuse_idle(document, of_all, used)
    return compiled


def _tariffs(settings: CreditSettings) -> dict[str, Tariff]:
    """By risk class."""
    prices = tuple((price.models, price.times) for price in settings.models)
    return {
        risk: Tariff(
            settings.request,
            settings.query,
            settings.input_token,
            settings.output_token,
            times,
            prices,
        )
        for risk, times in (("normal", 1.0), ("high", settings.high_risk))
    }


def _lines(
    document: Document, place: Place, settings: Any, tiers: Collection[str], *, shared: bool
) -> Iterator[_Line]:
    for kind in ("limits", "budgets"):
        for index, each in enumerate(getattr(settings, kind)):
            here = (*place, kind, index)
            yield _Line(each, here, _limit(document, here, each, tiers, shared=shared))


def _limit(
    document: Document,
    place: Place,
    settings: LimitSettings | BudgetSettings,
    tiers: Collection[str],
    *,
    shared: bool,
) -> Limit:
    if settings.kinds and settings.count not in {"bits", "privacy"}:
        wrong = f"only bits and privacy are of kinds, and this counts {settings.count}"
        raise document.fault((*place, "kinds"), wrong, "remove it, or write count: bits")
    per = (settings.per,) if isinstance(settings.per, str) else settings.per
    return Limit(
        _rule(document, place, settings),
        _unit(settings),
        tuple(dict.fromkeys(per)),
        shared=shared,
        models=settings.models,
        kinds=frozenset(settings.kinds),
        prefix=(settings.prefix.ipv4, settings.prefix.ipv6),
        budget=isinstance(settings, BudgetSettings),
        exhausted=_exhausted(document, place, settings, tiers),
        promise=promise(settings) if isinstance(settings, BudgetSettings) else None,
    )


def _exhausted(
    document: Document,
    place: Place,
    settings: LimitSettings | BudgetSettings,
    tiers: Collection[str],
) -> Action:
    if isinstance(settings, LimitSettings):
        return DENY
    here = (*place, "exhausted")
    return compile_exhausted(document, here, settings.exhausted, settings.name, tiers)


def _unit(settings: LimitSettings | BudgetSettings) -> Unit:
    if isinstance(settings, BudgetSettings) and settings.count == "privacy":
        return private_unit(settings)
    return settings.count


def _rule(document: Document, place: Place, settings: LimitSettings | BudgetSettings) -> Rule[Any]:
    if isinstance(settings, BudgetSettings):
        if settings.count == "privacy":
            return private_rule(document, place, settings)
        _refuse_promise(document, place, settings)
    assert settings.max is not None
    most = settings.max * (MILLI if settings.count == "credits" else 1)
    if most > _LARGEST:
        wrong = "more than can be counted exactly"
        raise document.fault((*place, "max"), wrong, f"write at most {_LARGEST // MILLI}")
    if isinstance(settings, BudgetSettings):
        return _budget(document, place, settings, most)
    if settings.count == "concurrent":
        if settings.window is not None:
            wrong = "what is under way at one time has no window"
            raise document.fault((*place, "window"), wrong, "remove it")
        return Concurrency(settings.name, most)
    if settings.window is None:
        raise document.fault(place, "a limit has a window", "add window: 1s, 1m or another")
    return Rate(f"{settings.name}/{settings.window}", most, microseconds(seconds(settings.window)))


def _refuse_promise(document: Document, place: Place, settings: BudgetSettings) -> None:
    """What a budget has that does not count privacy, and what it has not."""
    for name in ("epsilon", "delta"):
        if getattr(settings, name) is not None:
            wrong = f"of privacy alone, and this counts {settings.count}"
            raise document.fault((*place, name), wrong, "remove it, or write count: privacy")
    if settings.max is None:
        raise document.fault(place, "a budget has a max", "write max: 10000")


def _budget(document: Document, place: Place, settings: BudgetSettings, most: int) -> Rule[Any]:
    if settings.count == "concurrent":
        wrong = "what is under way is given back, and is no budget"
        raise document.fault((*place, "count"), wrong, "write it under limits")
    if (settings.window is None) == (settings.period is None):
        wrong = "a budget has a window or a period"
        raise document.fault(place, wrong, "write one of window: 1d and period: day")
    if settings.window is not None:
        if settings.zone != "UTC":
            wrong = "a window is of no calendar"
            raise document.fault((*place, "zone"), wrong, "remove it, or write period: day")
        length = microseconds(seconds(settings.window))
        return Sliding(f"{settings.name}/{settings.window}", most, length)
    assert settings.period is not None
    try:
        zone = ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        wrong = f"there is no time zone {settings.zone!r}"
        raise document.fault((*place, "zone"), wrong, "write one such as Europe/Berlin") from error
    return Calendar(f"{settings.name}/{settings.period}", most, Periods(settings.period, zone))


def _refuse_repeats(document: Document, lines: Iterable[_Line]) -> None:
    first: dict[str, Place] = {}
    for line in lines:
        name = line.settings.name
        if name in first:
            wrong = f"repeated, first on {document.mention((*first[name], 'name'))}"
            remedy = "rename one: limits of one name share a count"
            raise document.fault((*line.place, "name"), wrong, remedy)
        first[name] = line.place


def _of_route(lines: Iterable[_Line], route: Route, risk: str, used: set[Place]) -> Iterator[_Line]:
    for line in lines:
        if _holds(line, route, risk):
            used.add(line.place)
            yield line


def _holds(line: _Line, route: Route, risk: str) -> bool:
    of_risk = line.settings.risk in {None, risk}
    return of_risk and any(fnmatchcase(route.name, each) for each in line.settings.routes)


def _refuse_idle(document: Document, lines: Iterable[_Line], used: set[Place]) -> None:
    for line in lines:
        if line.place not in used and document.origin(line.place).layer == "policy":
            wrong = "no request would count against it: it names none of the routes there are"
            raise document.fault(line.place, wrong, "name routes of the policy, or remove it")


def _refuse_raising(
    document: Document, settings: Settings, lines: Iterable[_Line], fidelity: str
) -> None:
    """Whoever has used a budget up is not answered as well as before, or better."""
    order = [*settings.fidelities]
    for line in lines:
        action = line.limit.exhausted
        below = order[order.index(fidelity) + 1 :] if fidelity in order else order
        if isinstance(action, Lower) and action.fidelity not in below:
            wrong = f"not below {fidelity}, the tier of the policy"
            remedy = f"write {one_of(below)}" if below else "add a lower tier to fidelities"
            raise document.fault((*line.place, "exhausted", "fidelity"), wrong, remedy)


def _refuse_unprovable(document: Document, settings: Settings, lines: Iterable[_Line]) -> None:
    """A stronger credential is asked for where there is one that can say so of itself."""
    if any(isinstance(each, TokenSettings) for each in settings.credentials.values()):
        return
    for line in lines:
        if isinstance(line.limit.exhausted, StepUp):
            wrong = "nobody could show one: the file has no credential of an issuer"
            remedy = "add one of kind: jwt under credentials, or write exhausted: deny"
            raise document.fault((*line.place, "exhausted", "acr"), wrong, remedy)


def _refuse_boundless(
    document: Document,
    prices: CreditSettings,
    lines: Iterable[_Line],
    routes: Iterable[tuple[Route, str]],
    grants: Mapping[str, Grant],
) -> None:
    """What may be written is reserved before it is, so that it must have an end."""
    endless = [(route, risk) for route, risk in routes if _is_endless(route, grants[route.name])]
    for line in lines:
        if not _counts_tokens(line, prices):
            continue
        for route, risk in endless:
            if _holds(line, route, risk):
                wrong = f"counts {line.settings.count}, of which a request of {route.name} may"
                wrong += " have any number written"
                remedy = "say sizes: {tokens: 4096} on the route"
                if "max_tokens" in features(route.dialect.read):
                    remedy = "say allow: {max_tokens: 4096} in the policy, or name other routes"
                raise document.fault((*line.place, "count"), wrong, remedy)


def _is_endless(route: Route, grant: Grant) -> bool:
    """Whether nothing bounds how many tokens a request of the route may have written."""
    bounded = all(tier.entitlement.max_tokens is not None for tier in grant.tiers)
    asked = "max_tokens" in features(route.dialect.read)
    writes = asked or not {"text", "reasoning"}.isdisjoint(kinds_of(route.dialect))
    return writes and not (asked and bounded) and route.sizes.tokens is None


def _counts_answers(limit: Limit) -> bool:
    """Whether it matters what an answer tells: of a text that is cut off, how much there was; and
    what work is asked for.
    """
    counted = limit.unit in {"bits", "tokens", "credits"} or "kind" in limit.per
    return counted or isinstance(limit.exhausted, Challenge)


def _counts_tokens(line: _Line, prices: CreditSettings) -> bool:
    count = line.settings.count
    return count == "tokens" or (count == "credits" and prices.output_token > 0)
