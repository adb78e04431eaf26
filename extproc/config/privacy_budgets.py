"""Budgets of privacy: how much may be told, at all, of what is answered privately.

Rule: what was told stays told, so that such a budget is of a lifetime, passes on no terms but those
of a lower tier, and counts only what has a price in it; one that nothing is charged to is an error.
"""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from extproc.config.document import Document, Place
from extproc.config.exhaustion_settings import OnTerms
from extproc.config.limit_settings import BudgetSettings
from extproc.config.settings import Settings
from extproc.config.stores import MemoryStore, StoreSettings
from extproc.dialects.kinds import kinds_of
from extproc.fidelity import Fidelity
from extproc.information import Information
from extproc.limits import PRIVATE, Calendar, Periods, Unit
from extproc.mutators import Private
from extproc.policy import Policy, PolicyTable
from extproc.prediction import Kind
from extproc.privacy import Cost, capacity, pure_capacity
from extproc.route import Route

LIFETIME: Final = "lifetime"
PURE: Final = f"{LIFETIME}, delta 0"
"""Counters of the two units are told apart by these: nothing of one is a number of the other."""


def private_rule(document: Document, place: Place, settings: BudgetSettings) -> Calendar:
    """What it has room for, as long as the gateway lives.  Raise ConfigError where it is none."""
    if settings.epsilon is None or settings.delta is None:
        missing = "epsilon" if settings.epsilon is None else "delta"
        wrong, remedy = f"privacy is promised without {missing}", "write epsilon: 2, delta: 1e-5"
        raise document.fault(place, wrong, remedy)
    if settings.max is not None:
        wrong = "how much a budget of privacy has follows from epsilon and delta"
        raise document.fault((*place, "max"), wrong, "remove it")
    if settings.window is not None or settings.period not in {None, "lifetime"}:
        name = "period" if settings.period not in {None, "lifetime"} else "window"
        wrong = "what was told stays told: a budget of privacy that comes back promises nothing"
        raise document.fault((*place, name), wrong, "remove it, or write period: lifetime")
    if isinstance(settings.exhausted, OnTerms) and settings.exhausted.fidelity is None:
        wrong = "whoever does something for it learns no less: privacy is not sold"
        remedy = "write exhausted: deny, or {fidelity: TIER}"
        raise document.fault((*place, "exhausted"), wrong, remedy)
    try:
        most = _room(settings.epsilon, settings.delta)
    except ValueError as error:
        remedy = "write such as epsilon: 2, delta: 1e-5"
        raise document.fault((*place, "epsilon"), f"not a promise: {error}", remedy) from error
    length = LIFETIME if settings.delta else PURE
    return Calendar(f"{settings.name}/{length}", most, Periods("lifetime"))


def _room(epsilon: float, delta: float) -> int:
    room = capacity(epsilon, delta) if delta else pure_capacity(epsilon)
    if not room:
        raise ValueError("there is room for nothing")
    return room


def promise(settings: BudgetSettings) -> tuple[float, float] | None:
    """Epsilon and delta, where it makes one."""
    if settings.epsilon is None or settings.delta is None:
        return None
    return settings.epsilon, settings.delta


def private_unit(settings: BudgetSettings) -> Unit:
    """What it counts in."""
    return "privacy" if settings.delta else "epsilon"


def check_private(
    document: Document, settings: Settings, name: str, route: Route, tier: Fidelity
) -> None:
    """Raise ConfigError where what a route answers privately at a tier has no price in a budget, or
    more than all of it.
    """
    for place, budget in _budgets(settings, name, route):
        for kind, index, private in _private(tier, route, budget.kinds):
            here = ("fidelities", tier.name, kind, index)
            tag = str(private.__struct_config__.tag)
            cost, room = _price(private.cost(), budget)
            if cost is None:
                wrong = f"what {tag} tells has no epsilon at a delta of 0, which {budget.name} says"
                raise document.fault(here, wrong, "give the budget a delta, or use another noise")
            if cost > room:
                wrong = f"one answer costs more than all that {budget.name} has"
                raise document.fault(here, wrong, "add noise, or give the budget more")
            if not Information(route.dialect, tier.mutators, route.sizes).is_counted(kind):
                wrong = f"{budget.name} counts {kind}, and {route.name} has any number in an answer"
                raise document.fault((*place, "count"), wrong, f"write sizes: {{{kind}: 1}} there")


def check_spent(
    document: Document, settings: Settings, served: Iterable[tuple[str, Route, Fidelity]]
) -> None:
    """Raise ConfigError where a budget of privacy counts what nothing answers privately that is
    ``served`` (by a policy, on a route, at a tier), or would be spent more than once.
    """
    spent = {
        place
        for name, route, tier in served
        for place, budget in _budgets(settings, name, route)
        if any(_private(tier, route, budget.kinds))
    }
    for place, budget in _of_privacy(settings):
        if settings.policies and place not in spent:
            wrong = "nothing would count against it: no tier answers privately what it counts"
            remedy = "put noisy_max, or another private mutator, into a tier; or remove it"
            raise document.fault(place, wrong, remedy)
        if not _is_strict(settings.store):
            wrong = f"each replica would spend of {budget.name} by itself while it is away"
            raise document.fault(("store", "on_failure"), wrong, "write on_failure: deny")


def _is_strict(store: StoreSettings) -> bool:
    """Whether nobody counts beside it."""
    return isinstance(store, MemoryStore) or store.on_failure == "deny"


FORGETFUL: Final = "budgets of privacy are counted in memory, and a restart gives them back whole"


def is_forgetful(settings: Settings) -> bool:
    """Whether it is forgotten what was told when the process ends."""
    return any(_of_privacy(settings)) and isinstance(settings.store, MemoryStore)


def unpaid(policy: Policy) -> list[Kind]:
    """Kinds that a tier answers privately, of which no budget counts how much is told in all, be it
    of some models alone.
    """
    return [
        kind
        for kind, _, _ in _private(policy.fidelity, policy.route, ())
        if not all(_is_counted(policy, kind, model) for model in policy.models)
    ]


def _is_counted(policy: Policy, kind: Kind, models: str) -> bool:
    """Whether what is told of models of a pattern counts against a budget."""
    counted = [limit for limit in policy.reserved if limit.unit in PRIVATE]
    return any(
        any(fnmatchcase(models, pattern) for pattern in limit.models or ("*",))
        for limit in counted
        if not limit.kinds or kind in limit.kinds
    )


def doubts(settings: Settings, table: PolicyTable) -> Iterator[str]:
    """What promises less than it seems to, in sentences for whoever checks a file."""
    if is_forgetful(settings):
        yield FORGETFUL
    named = {chosen.policy: tenant for tenant, chosen in settings.tenants.items()}
    for name, tenant in sorted(named.items()):
        for route in table.routes:
            policy = table.policies.get((tenant, route.name))
            for kind in unpaid(policy) if policy is not None else ():
                yield (
                    f"policies.{name}: {route.name} answers {kind} privately, and no budget with "
                    "count: privacy says how much in all"
                )


def _of_privacy(settings: Settings) -> Iterator[tuple[Place, BudgetSettings]]:
    """All of the file."""
    everywhere: list[tuple[Place, Sequence[BudgetSettings]]] = [((), settings.budgets)]
    everywhere += [(("policies", name), of.budgets) for name, of in settings.policies.items()]
    for place, budgets in everywhere:
        for index, budget in enumerate(budgets):
            if budget.count == "privacy":
                yield (*place, "budgets", index), budget


def _budgets(settings: Settings, name: str, route: Route) -> Iterator[tuple[Place, BudgetSettings]]:
    """Those of privacy that requests of a policy on a route count against."""
    for place, budget in _of_privacy(settings):
        ours = place[0] == "budgets" or place[1] == name
        if ours and any(fnmatchcase(route.name, each) for each in budget.routes):
            yield place, budget


def _private(
    tier: Fidelity, route: Route, kinds: Sequence[Kind]
) -> Iterator[tuple[Kind, int, Private]]:
    for kind in kinds_of(route.dialect):
        for index, each in enumerate(tier.mutators.get(kind, ())):
            if isinstance(each, Private) and (not kinds or kind in kinds):
                yield kind, index, each


def _price(cost: Cost, budget: BudgetSettings) -> tuple[int | None, int]:
    """Of an answer, and what there is in all."""
    assert budget.epsilon is not None  # private_rule has seen it
    assert budget.delta is not None
    room = _room(budget.epsilon, budget.delta)
    return (cost.gdp if budget.delta else cost.epsilon), room
