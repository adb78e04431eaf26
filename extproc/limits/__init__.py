"""Limits and budgets: how much of what may be taken, by whom, and when again.

Read rules first (``rate``, ``calendar`` and its ``periods``, ``sliding``, ``concurrency``), then
what a policy makes of them (``limit``, ``amounts``), what is taken (``charge``), and what a store
promises (``counters``).
"""

from extproc.limits.amounts import MILLI, NOTHING, USUAL, Amounts, Tariff, told
from extproc.limits.calendar import Calendar
from extproc.limits.charge import PRIVATE, Charge, Level, Refused, Reserved, Taken, Unit, Wait
from extproc.limits.concurrency import Concurrency
from extproc.limits.counters import Account, Accounts, Counters, Standing
from extproc.limits.limit import Caller, Limit, Networks, Scope, charges
from extproc.limits.memos import Memos
from extproc.limits.periods import Periods
from extproc.limits.presence import presence
from extproc.limits.rate import Rate
from extproc.limits.rule import NEVER, SECOND, Rule, microseconds
from extproc.limits.sliding import PARTS, Sliding

__all__ = [
    "MILLI",
    "NEVER",
    "NOTHING",
    "PARTS",
    "PRIVATE",
    "SECOND",
    "USUAL",
    "Account",
    "Accounts",
    "Amounts",
    "Calendar",
    "Caller",
    "Charge",
    "Concurrency",
    "Counters",
    "Level",
    "Limit",
    "Memos",
    "Networks",
    "Periods",
    "Rate",
    "Refused",
    "Reserved",
    "Rule",
    "Scope",
    "Sliding",
    "Standing",
    "Taken",
    "Tariff",
    "Unit",
    "Wait",
    "charges",
    "microseconds",
    "presence",
    "told",
]
