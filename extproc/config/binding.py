"""What an override binds beside its own place.

Some values of a policy file are changed by others that stand elsewhere: a policy's tier by its
exceptions, the file's timing by a policy's own.  Rule: an override of the one sets the others
aside, unless the overrides name those too; or a team would get around it without touching it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from extproc.config.base import EVERY
from extproc.config.document import Overruled, Place
from extproc.config.parts import Part
from extproc.config.routes import STRONG

BOUND: Final = ("credentials", "policies", "routes")
"""The sections that are looked at."""
_CAP: Final = "escalations_per_hour"
_SHAPES: Final = ("timing", "length")
"""Of the file, of which each policy may have its own."""


def unbound(whole: Part, overrides: Mapping[str, Part]) -> tuple[Part, list[Overruled]]:
    """The same without what would change an override's value, and what was set aside."""
    aside = dict(_around(whole, overrides))
    overruled = [
        Overruled(place, _at(whole, place).origin, by.origin) for place, by in aside.items()
    ]
    for place in aside:
        whole = _without(whole, place)
    return whole, overruled


def _around(whole: Part, overrides: Mapping[str, Part]) -> Iterator[tuple[Place, Part]]:
    """Each place that gets around an override, and the override."""
    for name, policy in _entries(whole, "policies").items():
        yield from _in_policy(("policies", name), policy, overrides)
    yield from _exempt(whole, overrides)
    for name, credential in _entries(whole, "credentials").items():
        bound = _bound(overrides, "credentials", name)
        if "strength" in bound and "acr" in credential.entries and "acr" not in bound:
            yield ("credentials", name, "acr"), bound["strength"]
    for index, route in enumerate(_items(whole, "routes")):
        yield from _weakened(("routes", index), route)


def _in_policy(
    place: tuple[str, str], policy: Part, overrides: Mapping[str, Part]
) -> Iterator[tuple[Place, Part]]:
    bound = _bound(overrides, *place)
    for shape in _SHAPES:
        if shape in overrides and shape in policy.entries and shape not in bound:
            yield (*place, shape), overrides[shape]
    if "exceptions" not in bound:
        yield from _exceptions(place, policy, bound)
    if _CAP in policy.entries and "escalation" in bound and _CAP not in bound:
        yield (*place, _CAP), bound["escalation"]


def also_bound(overrides: Mapping[str, Part]) -> Iterator[str]:
    """The sections that are looked at besides: tenants may be many."""
    policies = overrides["policies"].entries if "policies" in overrides else {}
    if any("escalation" in policy.entries for policy in policies.values()):
        yield "tenants"


def _exempt(whole: Part, overrides: Mapping[str, Part]) -> Iterator[tuple[Place, Part]]:
    """Nobody is exempt from steps that the overrides name, but by them."""
    if "tenants" not in also_bound(overrides):
        return
    for name, tenant in _entries(whole, "tenants").items():
        policy = tenant.entries.get("policy")
        if policy is None or "exempt" not in tenant.entries:
            continue
        bound = _bound(overrides, "policies", str(policy.value))
        if "escalation" in bound and "exempt" not in _bound(overrides, "tenants", name):
            yield ("tenants", name, "exempt"), bound["escalation"]


def _exceptions(
    place: Place, policy: Part, bound: Mapping[str, Part]
) -> Iterator[tuple[Place, Part]]:
    for index, each in enumerate(_items(policy, "exceptions")):
        here = (*place, "exceptions", index)
        if "fidelity" in bound and "fidelity" in each.entries:
            yield (*here, "fidelity"), bound["fidelity"]
        features = bound["allow"].entries if "allow" in bound else {}
        allowed = each.entries["allow"].entries if "allow" in each.entries else {}
        for feature in allowed.keys() & features.keys():
            yield (*here, "allow", feature), features[feature]


def _weakened(place: Place, route: Part) -> Iterator[tuple[Place, Part]]:
    """A route that the overrides hold to be of high risk asks for no weak credential."""
    risk, credentials = route.entries.get("risk"), route.entries.get("credentials")
    if risk is None or risk.origin.layer != "override" or risk.value != "high":
        return
    strength = credentials.entries.get("strength") if credentials is not None else None
    if strength is None or strength.origin.layer == "override":
        return
    if not isinstance(strength.value, int) or strength.value < STRONG:
        yield (*place, "credentials", "strength"), risk


def _entries(whole: Part, section: str) -> Mapping[str, Part]:
    return whole.entries[section].entries if section in whole.entries else {}


def _bound(overrides: Mapping[str, Part], section: str, name: str) -> dict[str, Part]:
    """What the overrides say of an entry, by field."""
    if section not in overrides:
        return {}
    named = overrides[section].entries
    found = [named[key].entries for key in (EVERY, name) if key in named]
    merged: dict[str, Part] = {}
    for fields in found:
        for field, part in fields.items():
            before = merged.get(field)
            both = before is not None and isinstance(before.value, dict)
            merged[field] = (
                Part({**before.value, **part.entries}, part.origin)
                if both and before is not None and isinstance(part.value, dict)
                else part
            )
    return merged


def _items(whole: Part, name: str) -> list[Part]:
    part = whole.entries.get(name)
    return part.value if part is not None and isinstance(part.value, list) else []


def _at(whole: Part, place: Place) -> Part:
    for step in place:
        whole = whole.value[step]
    return whole


def _without(whole: Part, place: Place) -> Part:
    step, *deeper = place
    if not deeper:
        return whole.but(str(step))
    inner = _without(whole.value[step], tuple(deeper))
    if isinstance(step, int):
        items = [inner if index == step else each for index, each in enumerate(whole.value)]
        return Part(items, whole.origin)
    return Part({**whole.value, step: inner}, whole.origin)
