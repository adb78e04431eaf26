"""States as lua/states.lua writes them: one readable text each, of the rule's own state.

Rule: what is read back is what was written, to the last digit.
"""

from typing import Any, Final

from extproc.limits import Calendar, Concurrency, Periods, Rate, Rule, Sliding, calendar, sliding

Kind = tuple[bytes, int, int, int]
"""The letter of a kind, and its three parameters; see lua/states.lua."""

MOST: Final = 1 << 51
"""The most that one charge may cost: sums of it stay below 2**53, where a double is exact."""

_PERIODS: dict[Periods, tuple[int, int, int]] = {}
_KEPT: Final = 1_000


def kind_of(rule: Rule[Any], now: int) -> Kind:
    """How the scripts count by this rule, at about this time."""
    if isinstance(rule, Rate):
        return b"r", 0, 0, 0
    if isinstance(rule, Calendar):
        return b"c", *_ends(rule.periods, now)
    if isinstance(rule, Sliding):
        return b"s", rule.part, 0, 0
    assert isinstance(rule, Concurrency), rule
    return b"n", 0, 0, 0


def _ends(periods: Periods, now: int) -> tuple[int, int, int]:
    """``Periods.ends``; asking a calendar takes tens of microseconds."""
    known = _PERIODS.get(periods)
    if known is None or not known[0] <= now < known[1]:
        if len(_PERIODS) >= _KEPT:
            _PERIODS.clear()  # of policies that are no longer in force
        known = _PERIODS[periods] = periods.ends(now)
    return known


def state_of(rule: Rule[Any], text: bytes) -> Any:
    """The rule's state; None for an empty text."""
    if not text:
        return None
    if isinstance(rule, Calendar):
        end, spent = text[1:].split()
        return calendar.packed(int(end), int(spent))
    if isinstance(rule, Sliding):
        words = text[1:].split()
        return sliding.packed(int(words[1]), [int(word) for word in words[2:]])
    return int(text[1:])
