"""One counter, in the words and units of the policy file.

Rule: what is shown are the store's numbers; credits, which are counted in thousandths, in credits.
"""

import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from extproc.accounts.forecast import State, outlook
from extproc.errors import OperatorError
from extproc.limits import MILLI, PRIVATE, SECOND, Concurrency, Limit, Standing, Unit, told

_FAR: Final = 50 * 365 * 24 * 3600 * SECOND
"""Behind it there is no moment that anybody waits for."""

_HASH: Final = re.compile(r"(key:[0-9a-f]{16})[0-9a-f]{48}")


class Row(Struct, frozen=True):
    limit: str
    """Its name."""
    window: str
    """Of time, or a period; empty for what is under way at one time."""
    unit: Unit
    per: tuple[str, ...]
    """What it tells apart, within those whose limit it is."""
    subject: str
    """Whom it counts, of these; empty where it tells nobody apart, or has counted nobody."""
    spent: float
    max: float
    left: float
    used: float
    """The share of the most that is spent; negative where more was granted."""
    resets: datetime | None
    """When it says the same as an unused one; None where it does, and where it never will."""
    forecast: State
    exhausted: datetime | None
    """When it will be, where the forecast is that it ends."""
    epsilon: float | None = None
    """Of privacy, what is promised; None of anything else."""
    delta: float | None = None


def row(limit: Limit, standing: Standing, now: int) -> Row:
    """``now`` in microseconds since 1970."""
    unit, rule = limit.unit, limit.rule
    seen = outlook(rule, standing, now)
    return Row(
        limit=limit.name,
        window=rule.name.partition("/")[2],
        unit=unit,
        per=apart(limit),
        # A token may name its owner by what is no text: it is shown, and cannot be sent as it is.
        subject=standing.subject.encode(errors="backslashreplace").decode(),
        spent=told(unit, standing.spent),
        max=told(unit, rule.max),
        left=told(unit, standing.left),
        used=round(standing.spent / rule.max, 4),
        resets=_moment(now + standing.reset) if 0 < standing.reset < _FAR else None,
        forecast=seen.state,
        exhausted=_moment(now + seen.after) if seen.state == "ends" else None,
        epsilon=limit.promise[0] if limit.promise is not None else None,
        delta=limit.promise[1] if limit.promise is not None else None,
    )


def apart(limit: Limit) -> tuple[str, ...]:
    """What it tells apart within a tenant, a cohort or all."""
    return tuple(scope for scope in limit.per if scope not in {"tenant", "cohort"})


def unused(limit: Limit, now: int) -> Row:
    """A limit that has counted nothing."""
    return row(limit, Standing(limit.rule.name, "", 0, limit.rule.max, 0), now)


def counted(limit: Limit, amount: float) -> int:
    """An amount as the store counts it.  Raise OperatorError where it cannot be given."""
    if limit.unit in PRIVATE:
        return 0  # nothing of it is given: see check_spent
    if limit.unit == "credits":
        return max(1, round(amount * MILLI))
    if amount != int(amount):
        raise OperatorError(f"{limit.name} counts whole {limit.unit}; write a whole number")
    return int(amount)


def check_spent(limit: Limit) -> None:
    """Raise OperatorError where nothing of it is ever spent, or nothing can be given back."""
    if limit.unit in PRIVATE:
        wrong = f"{limit.name} counts what was told, which nobody can take back"
        raise OperatorError(f"{wrong}; promise less: write a larger epsilon into the policy")
    if isinstance(limit.rule, Concurrency):
        wrong = f"{limit.name} counts what is under way, which comes back by itself"
        raise OperatorError(f"{wrong}; nothing of it can be granted or reset")


def short(subject: str) -> str:
    """The same for a table: of the hash of a key, as much as records show."""
    return _HASH.sub(r"\1…", subject)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // SECOND, UTC)
