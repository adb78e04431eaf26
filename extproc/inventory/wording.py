"""How numbers and names of a report are written, whatever its format.

Rules: a bound is rounded up, to no more digits than mean anything; a name is printable characters
alone, since a policy may hold any, and who reads it may sit at a terminal.
"""

import math
from collections.abc import Iterable, Iterator

from extproc.inventory.report import Access, Assumed, Inventory, Surface, Told, Training

UNBOUNDED = "no bound"


def number(value: float) -> str:
    """At least the value: ``3.4``, ``3,087``, ``1.2 million``."""
    if math.isinf(value):
        return UNBOUNDED
    if value < 10 and value != int(value):
        return f"{math.ceil(value * 10) / 10:.1f}"
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{_two_digits(value / unit):,.10g} {name}"
    return f"{math.ceil(value):,}"


def _two_digits(value: float) -> float:
    step = 10.0 ** max(-1, math.floor(math.log10(value)) - 1)
    return round(math.ceil(value / step) * step, 1)


def plain(text: str) -> str:
    """With escapes for what does not print, such as line breaks, colours and turns of direction."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def whose(inventory: Inventory) -> str:
    """Of whom it is."""
    if inventory.tenant:
        return f"as tenant {plain(inventory.tenant)} has it"
    return f"{inventory.tenants:,} tenants"


def listed(names: Iterable[str], otherwise: str = "none") -> str:
    return ", ".join(map(plain, names)) or otherwise


def models(surface: Surface) -> str:
    but = f", but not {listed(surface.not_models)}" if surface.not_models else ""
    return f"{listed(surface.models)}{but}"


def chain(told: Told) -> str:
    return ", ".join(told.mutators) or "pass"


def answered(told: Told) -> str:
    """How many bits, of how many predictions."""
    if told.bits == 0.0 and told.kind in {"usage", "usage_detail", "timing", "identity"}:
        return "not counted"
    many = f" ({told.predictions:,} predictions)" if told.predictions > 1 else ""
    return f"{number(told.bits)}{many}"


def facts(surface: Surface) -> Iterator[tuple[str, str]]:
    """What there is to know of a surface in one line each."""
    yield "policy", plain(surface.policy)
    yield "models", models(surface)
    yield "tier", f"{plain(surface.fidelity)}{' (mode shadow: not held)' if surface.shadow else ''}"
    yield "dialect", f"{surface.dialect}{', risk: high' if surface.high_risk else ''}"
    yield "tenants", f"{surface.access.tenants:,}"
    yield "credentials", credentials(surface.access)
    yield "inputs", listed(surface.request.checks, "nothing is checked")
    yield "a request", request(surface)
    yield "requests a day", requests(surface.access)
    if surface.kept:
        yield "passes unread", f"{surface.kept} fields"
    yield "withheld", listed(surface.withheld)
    yield "bits", bits(surface)
    if surface.training:
        yield "training privacy", training(surface.training)


def credentials(access: Access) -> str:
    joined = " with " if access.together else " or "
    ways = joined.join(
        f"{plain(way.name)} ({way.kind}, strength {way.strength})" for way in access.ways
    )
    return f"{ways or 'none is strong enough'}; at least strength {access.strength}"


def request(surface: Surface) -> str:
    asked = surface.request
    writes = any(told.kind in {"text", "reasoning", "logprobs"} for told in surface.told)
    parts = [
        f"inputs: {number(asked.inputs)}",
        f"answers to each: {number(asked.choices)}",
        *([f"tokens of each: {number(asked.tokens)}"] if writes else []),
        *(["tools"] if asked.tools else []),
        *(["may fix the draw"] if asked.repeatable and writes else []),
    ]
    return "; ".join(parts)


def requests(access: Access) -> str:
    return f"{number(access.principal_day)} a caller; {number(access.tenant_day)} a tenant"


def bits(surface: Surface) -> str:
    return (
        f"{number(surface.bits_query)} an answer; {number(surface.bits_request)} a request; "
        f"{number(surface.bits_day)} a day, per caller"
    )


def assumed(sizes: Assumed) -> str:
    return (
        f"{sizes.classes:,} classes, {sizes.dimensions:,} dimensions, "
        f"{sizes.tokens:,} tokens, {sizes.alternatives:,} alternatives of a token"
    )


def training(declared: Iterable[Training]) -> str:
    """That nothing more is known of it than the policy says."""
    each = "; ".join(
        f"epsilon {one.epsilon:g}, delta {one.delta:g}"
        + ("" if one.models == ("*",) else f", of {listed(one.models)}")
        for one in declared
    )
    return f"{each}; as declared, not checked"


def is_setting(remedy: str) -> bool:
    """Whether it is written as the policy file would have it."""
    return ": " in remedy or remedy.startswith("extproc ")


def first(surface: Surface) -> str:
    """The worst reason."""
    if not surface.telling:
        return "no prediction passes"
    return next((reason.what for reason in surface.reasons), "nothing was found")


LEGEND = (
    "Bits are upper bounds: the log of how many different answers there can be, at the sizes "
    "assumed. Learning a model takes no fewer; it may take many more, and a copy of some use takes "
    "far fewer than all of it. 'No bound' means that the policy sets none. A rating is that of the "
    "worst reason: low, moderate, high, critical."
)
