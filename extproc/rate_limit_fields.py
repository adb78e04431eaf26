"""The header fields that tell a caller what its limits are, and how much of them is left.

Three families: what the clients of OpenAI read, what those of Anthropic read, and the draft of the
IETF (draft-ietf-httpapi-ratelimit-headers-10; Structured Fields, RFC 9651).  The most constrained
limit comes first: the one with the least share left.

Rules.  Told are limits of the caller's own tenant alone: what tenants share, and how a cohort is
limited, is nobody's to see, not even by name.  What several callers of a tenant use up together is
told on a coarse grid, in tenths of the limit and never to the unit, since the difference between
two answers would say what the others did between them; how long it takes, on the grid of
``refusal.coarse``, for the same reason.  The order follows from what is told, or it would tell the
rest.  Nothing is told with ``silent``: whoever is suspected would pace itself by it; and where
lengths are hidden, no answer has a field that others lack.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Any, Final, Literal

from msgspec import Struct

from extproc.limits import (
    MILLI,
    PRIVATE,
    SECOND,
    Calendar,
    Charge,
    Limit,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
    Unit,
)
from extproc.refusal import coarse

Family = Literal["openai", "anthropic", "draft"]

FAMILIES: Final[tuple[Family, ...]] = ("openai", "anthropic", "draft")
TENTHS: Final = 10
_MOST_TOLD: Final = 16
"""Limits in one header field: clients bound what they read."""
_LARGEST: Final = 999_999_999_999_999
"""RFC 9651, section 3.3.1: an Integer has at most 15 digits."""
_PERIODS: Final = {"hour": 3600.0, "day": 86_400.0}
"""Seconds; of those of the calendar that have always as many, but for summer time."""
_QUOTA_UNITS: Final[dict[Unit, str]] = {"concurrent": "concurrent-requests"}
"""The draft's own names; it has none for the rest but ``requests``, which is its default."""
_PREFIXES: Final = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit")
"""Of the names of all of them."""
_NEVER: Final = 3660 * 86_400 * SECOND
"""Microseconds: rules say more than that of what has no end that is known."""
_COUNTED: Final[tuple[Unit, ...]] = ("requests", "tokens")
"""What the fields of OpenAI and of Anthropic can be about."""


class Left(Struct, frozen=True):
    """One limit as a request left it; amounts are in the rule's own unit."""

    name: str
    """As the policy has it: letters, digits and ``._-:``."""
    unit: Unit
    max: int
    left: int
    group: str
    """Whose counters it stands among; see limits.Charge."""
    window: float | None = None
    """Seconds; None where it has no length that is always the same."""
    reset: float | None = None
    """Seconds until there is more of it; None where there never is."""
    shared: bool = True
    """Whether others than this caller count on it too."""


def left_of(limits: Iterable[Limit], taken: Taken) -> list[Left]:
    """What is left of the limits of a request that was let in."""
    known = {limit.rule.name: limit for limit in limits}
    return [
        _left(known.get(charge.rule.name), charge, level.left, level.reset)
        for charge, level in zip(taken.charges, taken.levels, strict=True)
        # Of none it is there so that its tenant can be stopped; and what is left of a promise of
        # privacy is no client's to pace itself by.
        if charge.amount and charge.unit not in PRIVATE
    ]


def used_up(limits: Iterable[Limit], charges: Sequence[Charge], refused: Refused) -> list[Left]:
    """The limits that refused a request; a store says nothing of the others."""
    known = {limit.rule.name: limit for limit in limits}
    found = [(charges[wait.index], wait.microseconds) for wait in refused.waits]
    return [
        _left(known.get(charge.rule.name), charge, 0, wait)
        for charge, wait in found
        if charge.unit not in PRIVATE
    ]


def fields(
    limits: Iterable[Left],
    tenant: str,
    families: Collection[Family],
    *,
    now: float,
    wait: int | None = None,
    silent: bool = False,
) -> dict[str, str]:
    """The header fields, which may be none; ``now`` is in seconds of wall time.

    ``wait`` is the Retry-After of a refusal: the draft wants no limit to be there again only later.
    """
    if silent or not tenant:
        return {}
    told = _once(sorted((_told(each) for each in limits if each.group == tenant), key=_share))
    found: dict[str, str] = {}
    if "openai" in families:
        found |= _openai(told)
    if "anthropic" in families:
        found |= _anthropic(told, now)
    if "draft" in families and told:
        found |= _draft(told[:_MOST_TOLD], wait)
    return found


def spoken(families: Collection[Family], dialect: str) -> frozenset[Family]:
    """Of the families that a policy names, those for a dialect's clients: of one vendor alone."""
    other: Family = "openai" if dialect == "anthropic_messages" else "anthropic"
    return frozenset(families) - {other}


def said(headers: Mapping[str, str]) -> dict[str, str]:
    """Of header fields, those that ``fields`` made."""
    return {name: value for name, value in headers.items() if name.startswith(_PREFIXES)}


def _left(limit: Limit | None, charge: Charge, left: int, reset: int) -> Left:
    rule = charge.rule
    return Left(
        rule.name.partition("/")[0],
        charge.unit,
        rule.max,
        left,
        charge.group,
        _window(rule),
        reset / SECOND if reset < _NEVER else None,
        shared=limit is None or "principal" not in limit.per,
    )


def _window(rule: Rule[Any]) -> float | None:
    match rule:
        case Rate(window=window) | Sliding(window=window):
            return window / SECOND
        case Calendar(periods=periods):
            return _PERIODS.get(periods.period)
        case _:
            return None


class _Told(Struct, frozen=True):
    """What of a limit is told."""

    name: str
    unit: Unit
    max: int
    left: int
    window: int | None
    reset: int | None


def _told(limit: Left) -> _Told:
    scale = MILLI if limit.unit == "credits" else 1
    most, left = limit.max // scale, max(0, min(limit.left, limit.max)) // scale
    window = max(1, ceil(limit.window)) if limit.window is not None else None
    reset = coarse(limit.reset) if limit.reset is not None else None
    if limit.shared:
        left = _rounded(left, most)
    return _Told(limit.name, limit.unit, min(most, _LARGEST), min(left, _LARGEST), window, reset)


def _rounded(left: int, most: int) -> int:
    """Down to a tenth of the most, but to two at least: of less, a tenth would be the unit."""
    step = max(2, -(-most // TENTHS))
    return left // step * step


def _once(told: Iterable[_Told]) -> list[_Told]:
    """The most constrained of each name: a limit may count several things apart."""
    found: dict[str, _Told] = {}
    for limit in told:
        found.setdefault(limit.name, limit)
    return list(found.values())


def _share(told: _Told) -> float:
    return told.left / max(1, told.max)


def _openai(told: Sequence[_Told]) -> dict[str, str]:
    found: dict[str, str] = {}
    for unit in _COUNTED:
        limit = _first(told, unit)
        if limit is not None:
            found[f"x-ratelimit-limit-{unit}"] = str(limit.max)
            found[f"x-ratelimit-remaining-{unit}"] = str(limit.left)
            if limit.reset is not None:
                found[f"x-ratelimit-reset-{unit}"] = _duration(limit.reset)
    return found


def _anthropic(told: Sequence[_Told], now: float) -> dict[str, str]:
    found: dict[str, str] = {}
    for unit in _COUNTED:
        limit = _first(told, unit)
        if limit is not None:
            found[f"anthropic-ratelimit-{unit}-limit"] = str(limit.max)
            found[f"anthropic-ratelimit-{unit}-remaining"] = str(limit.left)
            if limit.reset is not None:
                found[f"anthropic-ratelimit-{unit}-reset"] = _instant(now, limit.reset)
    return found


def _first(told: Sequence[_Told], unit: Unit) -> _Told | None:
    """The most constrained that is counted so."""
    return next((limit for limit in told if limit.unit == unit), None)


def _draft(told: Sequence[_Told], wait: int | None) -> dict[str, str]:
    return {
        "ratelimit-policy": ", ".join(
            [_policy(limit.name, limit.max, limit.unit, limit.window) for limit in told]
        ),
        "ratelimit": ", ".join(_standing(limit, wait) for limit in told),
    }


@lru_cache(1024)
def _policy(name: str, most: int, unit: Unit, window: int | None) -> str:
    counted = "" if unit == "requests" else f';qu="{_QUOTA_UNITS.get(unit, unit)}"'
    return f'"{name}";q={most}{counted}' + ("" if window is None else f";w={window}")


def _standing(limit: _Told, wait: int | None) -> str:
    reset = limit.reset
    if reset is not None and wait is not None:
        reset = min(reset, coarse(wait))
    return f'"{limit.name}";r={limit.left}' + ("" if reset is None else f";t={reset}")


def _duration(seconds: int) -> str:
    """As Go writes durations: ``1s``, ``6m0s``, ``24h0m0s``."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minute}m{second}s"
    return f"{minute}m{second}s" if minute else f"{second}s"


def _instant(now: float, seconds: int) -> str:
    """RFC 3339, in whole seconds."""
    moment = datetime.fromtimestamp(ceil(now), UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
