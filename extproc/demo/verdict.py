"""Whether a protection held, and what did not.

Rule: what cannot be checked did not hold.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")

Checks = Mapping[str, Callable[[T], Iterable[str]]]
"""By protection: a function that finds in T what breaks it, one line per finding."""


class Verdict(Struct, frozen=True):
    """One protection."""

    protection: str
    held: bool
    findings: tuple[str, ...] = ()


def judge(checks: Checks[T], seen: T) -> list[Verdict]:
    """Check all of them."""
    return [_judge(protection, check, seen) for protection, check in checks.items()]


def _judge(protection: str, check: Callable[[T], Iterable[str]], seen: T) -> Verdict:
    try:
        findings = tuple(check(seen))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        findings = (f"an answer cannot be read: {type(error).__name__}: {error}",)
    return Verdict(protection, not findings, findings)
