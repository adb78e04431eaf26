"""What a ledger of privacy says, and what a change of policy would make of it.

Rule: everything comes of the ledger's own whole numbers and of what the policy says an answer
costs at most, so that it may last longer than is told here, and never less.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from extproc.accounts.directory import named
from extproc.accounts.messages import Holder
from extproc.accounts.rows import Row
from extproc.limits import PRIVATE
from extproc.mutators import Private
from extproc.policy import Policy, PolicyTable
from extproc.privacy import NANO, Cost, capacity, epsilon_of, pure_capacity

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Price:
    """Of a budget: what one answer costs at most, and what is promised."""

    answer: int
    """In billionths, the dearest that any of its routes gives; 0 where none costs anything."""
    room: int
    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Line:
    """One counter of the ledger."""

    whom: str
    subject: str
    budget: str
    epsilon: float
    delta: float
    spent: float
    """The epsilon that was spent, at that delta; infinite where it is above 32."""
    used: float
    """The share of the room that is."""
    answers: int | None
    """How many answers are left at least; None where the policy has none that costs."""
    days: float | None
    """How long that lasts at the pace since the ledger began; None where nobody says when that was,
    or nothing was spent."""
    changed: int | None = None
    """How many would be left under another policy; None where that has no such budget."""
    reference: float | None = None
    """``spent`` as the reference accountant tells it, where it is installed."""


Prices = Mapping[tuple[str, str], Price]
"""By whose it is, a tenant's, a cohort's or that of all, and by its name: two policies may have two
budgets of one name.
"""


def prices(table: PolicyTable) -> Prices:
    """Of each budget of privacy that a policy has."""
    found: dict[tuple[str, str], Price] = {}
    for key in table.policies:
        for policy in _all(table.policies[key]):
            for budget, price in _prices(policy):
                known = found.get(budget)
                if known is None or price.answer > known.answer:
                    found[budget] = price
    return found


def _all(policy: Policy) -> Iterator[Policy]:
    """It, and what it may be lowered to, and what holds for some models instead."""
    yield policy
    yield from policy.lower.values()
    for _, other in policy.exceptions:
        if other is not None:
            yield from _all(other)


def _prices(policy: Policy) -> Iterator[tuple[tuple[str, str], Price]]:
    for limit in policy.reserved:
        if limit.unit not in PRIVATE or limit.promise is None:
            continue
        costs = [
            each.cost()
            for kind, chain in policy.fidelity.mutators.items()
            if not limit.kinds or kind in limit.kinds
            for each in chain
            if isinstance(each, Private)
        ]
        amounts = [each.gdp if limit.unit == "privacy" else each.epsilon or 0 for each in costs]
        whom = named(limit.group(policy.tenant, policy.cohort or policy.tenant))
        price = Price(max(amounts, default=0), limit.rule.max, *limit.promise)
        yield (whom, limit.name), price


def lines(
    holders: Iterable[Holder],
    known: Prices,
    changed: Prices | None = None,
    elapsed: float | None = None,
) -> list[Line]:
    """The most used first; ``elapsed`` is in seconds, since the ledger began."""
    found = [
        _line(holder.whom, row, known, changed, elapsed)
        for holder in holders
        for row in holder.counters
        if row.unit in PRIVATE and row.epsilon is not None and row.delta is not None
    ]
    return sorted(found, key=lambda line: (-line.used, line.whom, line.budget, line.subject))


def _line(
    whom: str,
    row: Row,
    known: Prices,
    changed: Prices | None,
    elapsed: float | None,
) -> Line:
    assert row.epsilon is not None
    assert row.delta is not None
    spent, room = round(row.spent * NANO), _room(row.epsilon, row.delta)
    answers = _answers(room - spent, known.get((whom, row.limit)))
    pace = spent / elapsed if elapsed else 0.0
    return Line(
        whom=whom,
        subject=row.subject,
        budget=row.limit,
        epsilon=row.epsilon,
        delta=row.delta,
        spent=_epsilon(row, spent),
        used=spent / room,
        answers=answers,
        days=max(0.0, room - spent) / pace / DAY if pace else None,
        changed=None if changed is None else _changed(spent, row, changed.get((whom, row.limit))),
        reference=_reference(spent, row.delta) if row.unit == "privacy" else None,
    )


def _room(epsilon: float, delta: float) -> int:
    return capacity(epsilon, delta) if delta else pure_capacity(epsilon)


def _epsilon(row: Row, spent: int) -> float:
    assert row.delta is not None
    return epsilon_of(Cost(spent), row.delta) if row.unit == "privacy" else spent / NANO


def _answers(left: int, price: Price | None) -> int | None:
    return max(0, left) // price.answer if price is not None and price.answer else None


def _changed(spent: int, row: Row, price: Price | None) -> int | None:
    """A budget whose delta becomes 0, or no longer is, is another: it counts in another unit."""
    if price is None:
        return None
    same = bool(price.delta) == bool(row.delta)
    return _answers(price.room - (spent if same else 0), price)


def _reference(spent: int, delta: float) -> float | None:
    """By privacy loss distributions (Koskela, Jälkö and Honkela, "Computing Tight Differential
    Privacy Guarantees Using FFT", AISTATS 2020); None where ``dp-accounting`` is not installed.
    """
    try:
        from dp_accounting.pld import privacy_loss_distribution as pld
    except ImportError:
        return None
    if not spent:
        return 0.0
    told = pld.from_gaussian_mechanism(1.0 / math.sqrt(spent / NANO))
    return float(told.get_epsilon_for_delta(delta))


def since(began: datetime, now: datetime) -> float:
    """Seconds; at least one."""
    return max(1.0, (now - began).total_seconds())
